"""What two shells answer about the same feeds, and where they differ.

Which of two feeds brings an article first is chance, and so is in which order articles arrive:
on that depend the text of an article that several feeds tell differently, ``seen``, ``order``, and
the stories. ``differences_of_content`` leaves these out; ``differences`` leaves out nothing, for
shells that registered the same records in the same order at the same times.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from deploy.shell import Shell
from ingest.wire import as_json, decode
from processors.links import Links
from processors.records import StoryRecord
from search.alert_state import Alert
from search.merges import Merges
from search.views import all_alerts, search_result
from tests.real_queries import Question
from tests.two_shells import told_ids

Json = dict[str, Any]

OF_ARRIVAL = ("feeds", "groups", "seen", "story_id", "copies", "score")
"""Of an article or a hit: what depends on the order of arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All hits of a search, in their order and each in JSON, and what was said of them together."""

    question: Question
    ids: tuple[str, ...]
    hits: tuple[str, ...]
    cursors: tuple[str, ...]
    end: Json


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All that a shell says.

    Attributes:
        told: Ids of the alerts that arrived.
        of_articles: Ids of the subscriptions that hear of each article, not once a story.
        feeds: Of each feed its state.
        records: What the register wrote, as it lies in the log.
    """

    stories: Mapping[str, StoryRecord]
    links: Links
    alerts: Sequence[Alert]
    told: Sequence[str]
    of_articles: frozenset[str]
    feeds: Mapping[str, str]
    found: Sequence[Found]
    records: Mapping[str, Mapping[str, bytes | None]]

    @cached_property
    def members(self) -> dict[str, frozenset[str]]:
        """Of each story, as it is after all merges, the articles."""
        found: dict[str, set[str]] = {}
        for name, one in self.stories.items():
            found.setdefault(self.links.resolve(one.story_id), set()).add(name)
        return {story: frozenset(articles) for story, articles in found.items()}

    def is_of_article(self, alert: Alert) -> bool:
        """Whether the subscription hears of each article."""
        return alert.subscription in self.of_articles


def asked(shell: Shell, folder: Path, questions: Sequence[Question]) -> Answers:
    """What ``shell``, whose alerts went to a file in ``folder``, answers."""
    records = {
        topic: {record.key: record.value for record in shell.log.table(topic).items()}
        for topic in ("stories", "decisions", "story-links")
    }
    return Answers(
        stories={
            key: decode(StoryRecord, value or b"") for key, value in records["stories"].items()
        },
        links=Merges(shell.log).links,
        alerts=sorted(all_alerts(shell.log), key=lambda one: one.alert_id),
        told=sorted(told_ids(folder)),
        of_articles=frozenset(one.id for one in shell.subscriptions.all() if one.every_article),
        feeds={
            record.key: json.loads(record.value or b"")["state"]
            for record in shell.log.table("feed-state").items()
        },
        found=[search(shell, one) for one in questions],
        records=records,
    )


def search(shell: Shell, question: Question) -> Found:
    """Every page of a search, as the API shows it."""
    ids, hits, cursors = list[str](), list[str](), list[str]()
    first: Json = {}
    while True:
        answer = search_result(shell.index.search(question.request(cursors[-1] if cursors else "")))
        ids += [hit["id"] for hit in answer["hits"]]
        hits += [json.dumps(hit) for hit in answer["hits"]]
        end = answer["end"]
        first = first or {name: end[name] for name in ("total", "facets", "histogram")}
        if not end["after"]:
            return Found(
                question=question,
                ids=tuple(ids),
                hits=tuple(hits),
                cursors=tuple(cursors),
                end=first,
            )
        cursors.append(end["after"])


def fickle(one: Answers, other: Answers) -> set[str]:
    """Articles whose text is of another feed, since another was first."""
    both = one.stories.keys() & other.stories.keys()
    return {
        name
        for name in both
        if one.stories[name].article.feed_id != other.stories[name].article.feed_id
    }


def differences_of_content(one: Answers, other: Answers) -> Iterator[str]:
    """Where two shells differ in what does not depend on the order of arrival."""
    left_out = fickle(one, other)
    yield from _unlike("feed states", one.feeds, other.feeds)
    yield from _unlike_sets("articles", one.stories, other.stories)
    for name in sorted(one.stories.keys() & other.stories.keys() - left_out):
        yield from _unlike(f"article {name}", _content(one, name), _content(other, name))
    for mine, theirs in zip(one.found, other.found, strict=True):
        if not mine.question.is_grouped:
            yield from _unlike_found(mine, theirs, left_out)
    yield from _unlike_sets("alerts", _alerts(one, other, left_out), _alerts(other, one, left_out))


def differences(one: Answers, other: Answers) -> Iterator[str]:
    """Where two shells differ that registered the same records in the same order."""
    for topic, records in one.records.items():
        yield from _unlike_sets(topic, records, other.records[topic])
        for key in records.keys() & other.records[topic].keys():
            mine, theirs = (json.loads(one[key] or b"") for one in (records, other.records[topic]))
            yield from _unlike(f"{topic} {key}", mine, theirs)
    for mine, theirs in zip(one.found, other.found, strict=True):
        text = f"search {mine.question}"
        yield from _unlike(f"{text}: its end", mine.end, theirs.end)
        yield from _unlike(f"{text}: its ids", mine.ids, theirs.ids)
        yield from _unlike(f"{text}: its cursors", mine.cursors, theirs.cursors)
        for hit, its in zip(mine.hits, theirs.hits, strict=False):
            if hit != its:
                yield from _unlike(f"{text}: a hit", json.loads(hit), json.loads(its))
    yield from _unlike_sets("alerted", alerted(one), alerted(other))
    yield from _unlike_sets("alert ids", steady_ids(one), steady_ids(other))


def alerted(answers: Answers) -> set[tuple[str, ...]]:
    """Of each alert the subscription and the story, as it is after all merges, or the article."""
    return {
        (one.subscription, one.article_id)
        if answers.is_of_article(one)
        else (one.subscription, answers.links.resolve(one.story_id), "story")
        for one in answers.alerts
    }


def steady_ids(answers: Answers) -> set[str]:
    """The ids of the alerts on stories that were never merged.

    Where a merge meets an alert under way, chance decides which of the two stories names it.
    """
    links = answers.links
    return {
        one.alert_id
        for one in answers.alerts
        if links.resolve(one.story_id) == one.story_id and not links.absorbed(one.story_id)
    }


def unheard(answers: Answers) -> Iterator[str]:
    """Alerts that did not arrive exactly once."""
    yield from _unlike(
        "alerts that arrived", sorted(one.alert_id for one in answers.alerts), answers.told
    )


def _content(answers: Answers, name: str) -> Json:
    """An article without what depends on the order of arrival, and its topics with evidence."""
    story = answers.stories[name]
    article: Json = as_json(story.article)
    shown = {key: value for key, value in article.items() if key not in OF_ARRIVAL}
    if article["published"] == article["seen"]:
        shown["published"] = None  # the register's, for want of a date
    return {
        **shown,
        "feeds": sorted(story.article.feeds),
        "groups": sorted(story.article.groups),
        "topics": [as_json(tag) for tag in story.topics],
        "revisions": len(story.revisions),
    }


def _unlike_found(mine: Found, theirs: Found, left_out: Collection[str]) -> Iterator[str]:
    text = f"search {mine.question}"
    for found in (mine, theirs):
        yield from _unlike(f"{text}: its order", found.ids, _in_order(found))
        yield from _unlike(f"{text}: its total", found.end["total"]["value"], len(found.ids))
        counted = sum(bucket["count"] for bucket in found.end["histogram"])
        yield from _unlike(f"{text}: its histogram", counted, len(found.ids))
    hits = _shown(mine, left_out), _shown(theirs, left_out)
    yield from _unlike_sets(text, *hits)
    for name in hits[0].keys() & hits[1].keys():
        yield from _unlike(f"{text}: hit {name}", hits[0][name], hits[1][name])
    if not any(name in left_out for name in (*mine.ids, *theirs.ids)):
        yield from _unlike(f"{text}: facets", mine.end["facets"], theirs.end["facets"])
        yield from _unlike(f"{text}: total", mine.end["total"], theirs.end["total"])


def _in_order(found: Found) -> tuple[str, ...]:
    hits = sorted(map(json.loads, found.hits), key=lambda hit: (hit["seen"], hit["id"]))
    return tuple(hit["id"] for hit in (hits if found.question.sort == "oldest" else hits[::-1]))


def _shown(found: Found, left_out: Collection[str]) -> dict[str, Json]:
    """What each hit shows that does not depend on the order of arrival."""
    return {
        hit["id"]: {
            key: value
            for key, value in hit.items()
            if key not in OF_ARRIVAL and (key != "published" or value != hit["seen"])
        }
        for hit in map(json.loads, found.hits)
        if hit["id"] not in left_out
    }


def _alerts(
    answers: Answers, other: Answers, left_out: Collection[str]
) -> set[tuple[str, frozenset[str]]]:
    """Of each alert the subscription and the articles it is about, where the other has such."""
    alike = set(answers.members.values()) & set(other.members.values())
    found = set()
    for one in answers.alerts:
        story = answers.members[answers.links.resolve(one.story_id)]
        about = frozenset((one.article_id,)) if answers.is_of_article(one) else story
        if not about & set(left_out) and (answers.is_of_article(one) or about in alike):
            found.add((one.subscription, about))
    return found


def _unlike(what: str, mine: Any, theirs: Any) -> Iterator[str]:
    if mine != theirs:
        yield f"{what}: {_apart(mine, theirs)}"


def _apart(mine: Any, theirs: Any) -> str:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        keys = [key for key in mine | theirs if mine.get(key) != theirs.get(key)]
        return "; ".join(f"{key} {_apart(mine.get(key), theirs.get(key))}" for key in keys[:3])
    return f"{str(mine)[:80]} and {str(theirs)[:80]}"


def _unlike_sets(what: str, mine: Collection[Any], theirs: Collection[Any]) -> Iterator[str]:
    mine, theirs = set(mine), set(theirs)
    for found, where in ((mine - theirs, "first"), (theirs - mine, "second")):
        if found:
            shown = ", ".join(sorted(map(str, found))[:3])
            yield f"{what}: {len(found)} in the {where} only: {shown}"
