"""Made-up articles, alerts and feeds of the last two days, as the indices hold them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.wire import format_time
from search.elastic_schema import ARTICLES
from search.projected_documents import MAPPINGS

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SINCE = NOW - timedelta(hours=48)
TOPIC = "arms"
"""The topic that is chosen on the dashboard of one topic."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    name: {field: one["type"] for field, one in fields.items()}
    for name, fields in (("articles", ARTICLES["properties"]), *MAPPINGS.items())
}
"""Names and types of the fields of each index, as its mapping has them."""

Document = dict[str, Any]

WORDS = {
    "arms": ("missile", "export licence", "frigate"),
    "talks": ("envoy", "truce", "mediator"),
    "ferry": ("harbour", "crossing"),
    "harvest": ("barley", "orchard"),
}
SOURCES = (
    "meridian.example",
    "lakeland.example",
    "phare.example",
    "veldt.example",
    "plaza.example",
)
LANGUAGES = ("en", "en", "en", "fr", "de")
STATES = ("sent", "sent", "sent", "failed", "waiting")
LATENCIES = (0.4, 0.4, 0.4, 0.7, 1.5, 0.4, 30.0)


def articles() -> list[Document]:
    """400 articles: every eighth on arms also on talks, stories of one to seven."""
    return [_article(number) for number in range(400)]


def _article(number: int) -> Document:
    names = list(WORDS)
    topics = [names[number % 4]]
    if number % 8 == 0:
        topics.append("talks")
    if number % 16 == 15:
        topics = []
    story = number - number % (number // 40 % 7 + 1)
    copy = {"copy_of": f"a{story}"} if number != story and number % 3 == 0 else {}
    words = ["said", *(word for topic in topics for word in WORDS[topic])]
    return {
        "id": f"a{number}",
        "title": f"Title {number}",
        "seen": format_time(SINCE + timedelta(minutes=7 * number, seconds=number)),
        "source": SOURCES[number % 11 % 5],
        "language": LANGUAGES[number % 7 % 5],
        "topics": topics,
        "keywords": words,
        "story_id": f"s{story}",
        **copy,
    }


def alerts() -> list[Document]:
    """120 alerts of four subscriptions."""
    return [_alert(number) for number in range(120)]


def _alert(number: int) -> Document:
    state = STATES[number % 5]
    created = SINCE + timedelta(minutes=23 * number, seconds=number)
    body: Document = {
        "alert_id": f"n{number}",
        "subscription_name": ("truce", "arms", "ferries", "harvest")[number % 3 + number % 2],
        "story_id": f"s{number // 2}",
        "title": f"Title {number}",
        "created": format_time(created),
        "state": state,
        "attempts": 1 + number % 4,
    }
    if state == "sent":
        seconds = LATENCIES[number % 7]
        sent = format_time(created + timedelta(seconds=seconds))
        return {**body, "sent": sent, "latency_seconds": seconds}
    return {**body, "error": ("HTTP 500", "HTTP 410", "timed out")[number % 3]}


def feeds() -> list[Document]:
    """40 feeds at eight hosts, in every state."""
    return [_feed(number) for number in range(40)]


def _feed(number: int) -> Document:
    state = ("ok", "ok", "ok", "failing", "silent", "slow", "blocked", "not-a-feed", "gone")[
        number % 9
    ]
    polled = NOW - timedelta(minutes=11 * number, seconds=number)
    # Long waits: the server's clock is far beyond NOW by the time it is asked.
    wait = timedelta(hours=-1 if number % 5 == 2 else 12)
    return {
        "feed_id": f"f{number}",
        "url": f"https://h{number % 8}.example/{number}.xml",
        "host": f"h{number % 8}.example",
        "title": f"Feed {number}",
        "state": state,
        "sentence": "" if state == "ok" else f"It is {state}.",
        "last_poll": format_time(polled),
        "next_poll": format_time(NOW + wait),
        "quiet_seconds": 100.0 * number + 60,
        "usual_gap_seconds": 10.0 * number + 5,
        "failures": number % 4,
    }
