"""The body of an alert: what matched, why, and where to read on (INTERFACE, "Alert payload")."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from ingest.clean import cut, cut_bytes
from ingest.wire import format_time
from processors.document import Document
from processors.query_tree import Field, Node, Not, Query, children, walk
from processors.records import StoryRecord, Zone
from processors.reference import holds, spans
from search.subscriptions import Subscription

TYPE = "article.matched"

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
    found = spans(query, document)
    texts = {"title": story.article.title}
    worded = []
    for (clause, zone), group in groupby(
        sorted(found, key=lambda one: (one.clause, one.zone)), lambda one: (one.clause, one.zone)
    ):
        places = tuple((one.start, one.end) for one in group)[:MAX_SPANS]
        text = texts.get(zone, story.article.text)
        worded.append(Reason(clause=clause, zone=zone, spans=places, text=_words(text, places)))
    if not any(isinstance(node, Field) for node in walk(query.root)):
        return tuple(worded)
    return (*worded, *_metadata(query, query.root, document, story))


def _words(text: str, places: Sequence[tuple[int, int]]) -> str:
    words = dict.fromkeys(" ".join(text[start:end].split()) for start, end in places)
    return cut(" … ".join(words), TEXT_CHARS)


def _metadata(
    query: Query, node: Node, document: Document, story: StoryRecord
) -> tuple[Reason, ...]:
    if isinstance(node, Not) or not holds(node, document):
        return ()
    if not isinstance(node, Field):
        below = (_metadata(query, one, document, story) for one in children(node))
        return tuple(reason for some in below for reason in some)
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
                "article": f"{base}/api/articles/{article.id}",
                "story": f"{base}/api/stories/{story.story_id}",
                "mute": f"{base}/api/subscriptions/",
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
) -> str:
    """The JSON body, at most ``max_bytes`` of UTF-8: excerpt and reasons give way."""
    text = ""
    for excerpt_chars, reasons_kept in SIZES:
        excerpt = cut(told.text, excerpt_chars) if excerpt_chars else ""
        data = {
            "alert_id": alert_id,
            "subscription": _subscription(subscription),
            "article": {**told.article, "excerpt": excerpt},
            "story": told.story,
            "topics": told.topics,
            "why": [_reason(one) for one in why[:reasons_kept]],
            "links": {**told.links, "mute": told.links["mute"] + subscription.id},
        }
        text = _encoded(data, format_time(created))
        if len(text) * 4 <= max_bytes or len(text.encode()) <= max_bytes:
            break
    return text


def payload_of_test(subscription: Subscription, *, alert_id: str, now: datetime) -> str:
    """A body of the same shape that says that it is a test."""
    seen = format_time(now)
    data = {
        "alert_id": alert_id,
        "test": True,
        "subscription": _subscription(subscription),
        "article": {
            "id": "",
            "title": f"Test alert of the subscription {subscription.name}",
            "url": "",
            "source": "",
            "published": seen,
            "seen": seen,
            "language": "en",
            "excerpt": "Wirewatch can reach this receiver.",
        },
        "story": {"id": "", "size": 0, "sources": []},
        "topics": [],
        "why": [],
        "links": {"article": "", "story": "", "mute": ""},
    }
    return _encoded(data, seen)


def _encoded(data: dict[str, Any], timestamp: str) -> str:
    body = {"type": TYPE, "timestamp": timestamp, "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _reason(one: Reason) -> dict[str, Any]:
    places = [list(place) for place in one.spans]
    clause = cut(one.clause, TEXT_CHARS)
    return {"clause": clause, "zone": one.zone or "", "spans": places, "text": one.text}


def _subscription(one: Subscription) -> dict[str, str]:
    return {"id": one.id, "name": one.name, "query": cut_bytes(one.query, QUERY_BYTES)}
