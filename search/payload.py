"""The body of an alert: what matched, why, and where to read on (INTERFACE, "Alert payload")."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from ingest.clean import cut, cut_at_word, cut_bytes
from ingest.wire import format_time
from processors.document import Document
from processors.query_tree import Field, Query
from processors.records import StoryRecord, Zone
from processors.reference import grounds, spans_of
from search.alert_state import AlertType
from search.subscriptions import Subscription

EXCERPT_CHARS = 1_000

SIZES = ((600, 20), (300, 8), (100, 3), (0, 0))
"""Characters of the excerpt and reasons, less each time until the payload is small enough."""

MAX_SPANS = 10
"""Of one clause: enough to highlight; the article has the rest."""

TEXT_CHARS = 200
MAX_SOURCES = 20
MAX_TOPICS = 20
QUERY_BYTES = 4_096
URL_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A clause that held: spans in the original title or text, and the words there."""

    clause: str
    zone: Zone | None
    spans: tuple[tuple[int, int], ...] = ()
    text: str = ""


def reasons(query: Query, document: Document, story: StoryRecord) -> tuple[Reason, ...]:
    """Why ``query`` matches ``story``: its words first, then topics and other metadata."""
    found = grounds(query.root, document) or ()
    places: defaultdict[tuple[str, Zone], list[tuple[int, int]]] = defaultdict(list)
    for one in spans_of(found, query, document):
        places[one.clause, one.zone].append((one.start, one.end))
    worded = (
        _worded(clause, zone, places[clause, zone][:MAX_SPANS], story)
        for clause, zone in sorted(places)
    )
    metadata = (
        reason
        for ground in found
        if isinstance(ground.leaf, Field)
        for reason in _metadata(query, ground.leaf, story)
    )
    return (*worded, *metadata)


def _worded(
    clause: str, zone: Zone, places: Sequence[tuple[int, int]], story: StoryRecord
) -> Reason:
    text = story.article.title if zone == "title" else story.article.text
    words = dict.fromkeys(" ".join(text[start:end].split()) for start, end in places)
    shown = cut(" … ".join(words), TEXT_CHARS)
    return Reason(clause=clause, zone=zone, spans=tuple(places), text=shown)


def _metadata(query: Query, node: Field, story: StoryRecord) -> tuple[Reason, ...]:
    clause = query.clause(node)
    if node.name != "topic":
        return (Reason(clause=clause, zone=None, text=node.value),)
    topic = node.value.partition("@")[0]
    evidence = [one for tag in story.topics if tag.topic == topic for one in tag.evidence]
    return tuple(
        Reason(
            clause=clause,
            zone=one.zone,
            spans=one.spans[:MAX_SPANS],
            text=cut(one.text, TEXT_CHARS),
        )
        for one in sorted(evidence, key=lambda one: -one.points)
    ) or (Reason(clause=clause, zone=None, text=topic),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What every alert about one story says: made once, for however many subscriptions."""

    article: dict[str, Any]
    text: str
    story: dict[str, Any]
    topics: list[str]
    links: dict[str, str]
    """``{subscription}`` stands for the id of who is told."""

    @classmethod
    def of(cls, story: StoryRecord, *, link_base: str) -> Told:
        """What is said about ``story``; links begin with ``link_base``."""
        article, base = story.article, link_base.rstrip("/")
        return cls(
            article={
                "id": article.id,
                "title": article.title,
                "url": article.url[:URL_CHARS],
                "source": article.source,
                "published": format_time(article.published) if article.published else None,
                "seen": format_time(article.seen) if article.seen else None,
                "language": article.language,
            },
            text=article.text[:EXCERPT_CHARS],
            story={
                "id": story.story_id,
                "size": story.size,
                "sources": list(story.sources[:MAX_SOURCES]),
            },
            topics=[tag.topic for tag in story.topics if tag.band == "tag"][:MAX_TOPICS],
            links={
                "article": f"{base}/articles/{article.id}",
                "story": f"{base}/stories/{story.story_id}",
                "mute": f"{base}/subscriptions/{{subscription}}/mute/{story.story_id}",
            },
        )


def payload(
    told: Told,
    subscription: Subscription,
    *,
    alert_id: str,
    why: Sequence[Reason],
    created: datetime,
    max_bytes: int,
    kind: AlertType = "article.matched",
) -> str:
    """The JSON body, at most ``max_bytes`` of UTF-8: excerpt and reasons give way."""
    body = b""
    for excerpt_chars, reasons_kept in SIZES:
        excerpt = cut_at_word(told.text, excerpt_chars) if excerpt_chars else ""
        data = {
            "alert_id": alert_id,
            "subscription": subscription_told(subscription),
            "article": {**told.article, "excerpt": excerpt},
            "story": told.story,
            "topics": told.topics,
            "why": [_reason(one) for one in why[:reasons_kept]],
            "links": {one: _link(url, subscription) for one, url in told.links.items()},
        }
        body = encoded(data, kind=kind, timestamp=created)
        if len(body) <= max_bytes:
            break
    return body.decode()


def payload_of_test(
    subscription: Subscription, *, alert_id: str, now: datetime, of: str = "subscription"
) -> str:
    """A body of the same shape that says that it is a test."""
    return payload_of_words(
        subscription_told(subscription),
        alert_id=alert_id,
        now=now,
        title=f"Test alert of the {of} {subscription.name}",
        text="Wirewatch can reach this receiver.",
        flag="test",
    )


def payload_of_words(
    told: dict[str, str],
    *,
    alert_id: str,
    now: datetime,
    title: str,
    text: str,
    flag: str,
) -> str:
    """A body of the same shape about no article; it has ``flag``, so that programs can tell."""
    seen = format_time(now)
    data = {
        "alert_id": alert_id,
        flag: True,
        "subscription": told,
        "article": {
            "id": "",
            "title": title,
            "url": "",
            "source": "",
            "published": seen,
            "seen": seen,
            "language": "en",
            "excerpt": text,
        },
        "story": {"id": "", "size": 0, "sources": []},
        "topics": [],
        "why": [],
        "links": {"article": "", "story": "", "mute": ""},
    }
    return encoded(data, kind="article.matched", timestamp=now).decode()


def encoded(data: dict[str, Any], *, kind: AlertType, timestamp: datetime) -> bytes:
    """A body with ``data``, as receivers get it."""
    return to_json({"type": kind, "timestamp": format_time(timestamp), "data": data})


def _link(url: str, subscription: Subscription) -> str:
    return url.replace("{subscription}", subscription.id)


def _reason(one: Reason) -> dict[str, Any]:
    places = [list(place) for place in one.spans]
    clause = cut(one.clause, TEXT_CHARS)
    return {"clause": clause, "zone": one.zone or "", "spans": places, "text": one.text}


def subscription_told(one: Subscription, *, max_bytes: int = QUERY_BYTES) -> dict[str, str]:
    """What every body says of its subscription."""
    return {"id": one.id, "name": one.name, "query": cut_bytes(one.query, max_bytes)}
