"""What the API shows: records as the JSON shapes of RECORDS, with what people ask beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from ingest.errors import NotFoundError, UsageError
from ingest.log import Log, Record
from ingest.wire import as_json, decode, format_time
from processors.records import StoryRecord, TopicTag
from processors.topic import Topic
from search.alert_state import Alert
from search.caller import LOCAL, Caller
from search.erasing import refuse_erased_article
from search.index import Checkpoint, Hit, Index, SearchResult
from search.subscriptions import redacted

ALERT_PREFIX = "alert:"

T = TypeVar("T")

MEMBERS_SHOWN = 100
"""Of a digest, in its row; each of them has a row of its own that names the digest."""


def page(name: str, rows: Iterator[dict[str, Any]], *, size: int, key: str) -> dict[str, Any]:
    """The first ``size`` of ``rows``, and as ``after`` the cursor of the next page."""
    found = list(islice(rows, size + 1))
    after = found[size - 1][key] if len(found) > size else ""
    return {name: found[:size], "after": after}


def search_result(result: SearchResult) -> dict[str, Any]:
    """``hits`` and the last line, ``end``."""
    return {
        "hits": [hit(one) for one in result.hits],
        "end": {
            "total": {"value": result.total, "relation": result.relation},
            "after": result.after,
            "took_ms": round(result.took_ms, 2),
            "facets": result.facets,
            "histogram": result.histogram,
        },
    }


def hit(found: Hit) -> dict[str, Any]:
    """A search hit: the article without its text, and why it was found."""
    shown = as_json(found.article)
    del shown["text"]
    return {
        **shown,
        "topics": list(found.topics),
        "story_id": found.story_id,
        "copies": found.copies,
        "score": found.score,
        "highlights": as_json(found.highlights),
    }


def article(log: Log, index: Index, article_id: str, *, who: Caller) -> dict[str, Any]:
    """An article with its topics, revisions, story and way through the stages.

    ``who`` asks: alerts of others are no part of its way.

    Raises:
        NotFoundError: no article has this id, or it was erased.
    """
    record = log.table("stories").get(article_id)
    if record is None or record.value is None:
        refuse_erased_article(log, article_id)
        raise NotFoundError(
            f"there is no article {article_id}", hint="Take the id from: wirewatch search"
        )
    story = decode(StoryRecord, record.value)
    # The record knows its story as it was at registration; the index, what became of it.
    placed = index.get(article_id) or story
    size = max(len(index.story(placed.story_id)), story.size)  # the index stops counting at 200
    alerts = [
        one for one in all_alerts(log, about=article_id, who=who) if one.article_id == article_id
    ]
    return {
        **as_json(story.article),
        "topics": [tag.topic for tag in story.topics if tag.band == "tag"],
        "topic_tags": [as_json(tag) for tag in story.topics],
        "revisions": [as_json(one) for one in story.revisions],
        "story_id": placed.story_id,
        "story_size": size,
        "copy_of": story.copy_of,
        "similarity": story.similarity,
        "journey": list(_journey(story, record, index.checkpoint(), alerts)),
    }


def _journey(
    story: StoryRecord, record: Record, indexed: Checkpoint | None, alerts: list[Alert]
) -> Iterator[dict[str, Any]]:
    yield _step("fetched", story.fetched, f"from feed {story.article.feed_id}, cause {story.cause}")
    yield _step("tagged", story.article.seen, _tagged_sentence(story.topics))
    place = f"copy of {story.copy_of}" if story.copy_of else f"in story {story.story_id}"
    yield _step("registered", record.appended, f"revision {story.article.revision}, {place}")
    searchable = indexed is not None and _reached(indexed, record)
    yield _step("indexed", None, "searchable" if searchable else "not searchable yet")
    for one in alerts:
        yield _step("alerted", one.created, f"{one.subscription_name}: {one.state}")


def _reached(indexed: Checkpoint, record: Record) -> bool:
    return indexed.stories.get(record.partition.number, 0) > record.offset


def _step(stage: str, at: datetime | None, sentence: str) -> dict[str, Any]:
    return {"stage": stage, "at": format_time(at) if at else None, "sentence": sentence}


def _tagged_sentence(topics: tuple[TopicTag, ...]) -> str:
    return ", ".join(f"{tag.topic} ({tag.band})" for tag in topics) or "no topic"


def story(index: Index, story_id: str) -> dict[str, Any]:
    """A story with its articles, oldest first. Raises NotFoundError."""
    result = index.story(story_id)
    if not result:
        raise NotFoundError(f"there is no story {story_id}", hint="Take the id from a search hit.")
    articles = [
        {
            "id": one.article.id,
            "title": one.article.title,
            "url": one.article.url,
            "source": one.article.source,
            "seen": format_time(one.article.seen) if one.article.seen else None,
            "copy_of": one.copy_of,
            "similarity": one.similarity,
        }
        for one in result
    ]
    sources = list(dict.fromkeys(one["source"] for one in articles))
    return {"story_id": story_id, "size": len(articles), "sources": sources, "articles": articles}


def topic(one: Topic) -> dict[str, Any]:
    """A topic's definition."""
    return {
        "id": one.id,
        "lang": one.lang,
        "version": one.version,
        "label": one.label,
        "description": one.description,
        "threshold": one.threshold,
        "review": one.review,
    }


def all_alerts(log: Log, *, about: str = "", who: Caller = LOCAL) -> Iterator[Alert]:
    """Every alert that ``who`` may see; only those whose record has the id ``about`` in it."""
    for record in log.table("alert-state").items(ALERT_PREFIX):
        if record.value is not None and about.encode() in record.value:
            found = decode(Alert, record.value)
            if who.sees(found.owner):
                yield found


def alert(log: Log, alert_id: str, *, who: Caller = LOCAL) -> dict[str, Any]:
    """One alert. Raises NotFoundError, also where it is somebody else's."""
    record = log.table("alert-state").get(ALERT_PREFIX + alert_id)
    found = decode(Alert, record.value) if record and record.value else None
    if found is None or not who.sees(found.owner):
        raise NotFoundError(f"there is no alert {alert_id}", hint="See: wirewatch alerts list")
    return alert_row(found)


def alert_row(one: Alert) -> dict[str, Any]:
    """An alert as lists show it: without what it sends, its targets without secrets."""
    shown: dict[str, Any] = as_json(one)
    del shown["payload"]
    shown["count"] = max(1, len(one.members))
    shown["members"] = shown["members"][:MEMBERS_SHOWN]
    for name in ("pending", "acknowledged"):
        shown[name] = [redacted(target) for target in shown[name]]
    return shown


def alerts(
    log: Log,
    *,
    state: str = "",
    since: datetime | None = None,
    subscription: str = "",
    who: Caller = LOCAL,
) -> list[Alert]:
    """Alerts that ``who`` may see, newest first."""
    found = [
        one
        for one in all_alerts(log, about=subscription, who=who)
        if state in ("", one.state)
        and (since is None or one.created >= since)
        and subscription in ("", one.subscription)
    ]
    found.sort(key=lambda one: (one.created, one.alert_id), reverse=True)
    return found


def rest(rows: Sequence[T], *, after: str, ids: Sequence[str]) -> Iterator[T]:
    """The rows after the one with the id ``after``. Raises UsageError where none is."""
    if after and after not in ids:
        raise UsageError("this cursor is not one of the list", hint="Start without it.")
    return iter(rows[ids.index(after) + 1 :] if after else rows)
