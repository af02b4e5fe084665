"""Alerts and feeds as documents for lists and Kibana, and how Elasticsearch keeps them. Pure.

Both are projections of compacted topics: nothing is ever decided by them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from ingest.clean import cut_bytes
from ingest.feed_secrets import shown
from ingest.feeds import Feed, FeedState, health
from ingest.wire import format_time
from search.alert_state import Alert
from search.subscriptions import redacted

List = Literal["alerts", "feeds"]
Fields = Mapping[str, Mapping[str, str]]

STATE_BITS = 40
"""Of a feed's version, for the offset in ``feed-state``: a billion records a year for 1,000 years.
23 bits are left for the offset in ``feeds``, which grows with edits of the list only."""

URL_BYTES = 2_000
"""A keyword above 32,766 bytes would refuse its whole document."""

KEYWORD, DATE, TEXT = {"type": "keyword"}, {"type": "date"}, {"type": "text"}
FLOAT, INTEGER = {"type": "float"}, {"type": "integer"}

MAPPINGS: Mapping[List, Fields] = {
    "alerts": {
        "alert_id": KEYWORD,
        "owner": KEYWORD,
        "subscription": KEYWORD,
        "subscription_name": KEYWORD,
        "article_id": KEYWORD,
        "story_id": KEYWORD,
        "title": TEXT,
        "created": DATE,
        "state": KEYWORD,
        "attempts": INTEGER,
        "to": KEYWORD,
        "sent": DATE,
        "latency_seconds": FLOAT,
        "error": KEYWORD,
        "topics": KEYWORD,
    },
    "feeds": {
        "feed_id": KEYWORD,
        "url": KEYWORD,
        "host": KEYWORD,
        "title": TEXT,
        "groups": KEYWORD,
        "state": KEYWORD,
        "sentence": KEYWORD,
        "last_poll": DATE,
        "last_ok": DATE,
        "last_new": DATE,
        "next_poll": DATE,
        "usual_gap_seconds": FLOAT,
        "quiet_seconds": FLOAT,
        "failures": INTEGER,
    },
}
"""The fields of each list; what is not named is refused."""


def alert_document(alert: Alert) -> dict[str, Any]:
    """``alert`` as a document; a field that does not apply is left out."""
    sent = _sent(alert)
    last = alert.attempts[-1] if alert.attempts else None
    return _without_gaps(
        {
            "alert_id": alert.alert_id,
            "owner": alert.owner,
            "subscription": alert.subscription,
            "subscription_name": alert.subscription_name,
            "article_id": alert.article_id,
            "story_id": alert.story_id,
            "title": alert.title,
            "created": format_time(alert.created),
            "state": alert.state,
            "attempts": len(alert.attempts),
            "to": [
                cut_bytes(redacted(one), URL_BYTES) for one in (*alert.acknowledged, *alert.pending)
            ],
            "sent": format_time(sent) if sent else None,
            "latency_seconds": (sent - alert.created).total_seconds() if sent else None,
            "error": last.error if last and alert.state != "sent" else None,
            "topics": _topics(alert.payload),
        }
    )


def _sent(alert: Alert) -> datetime | None:
    """When the last of its targets acknowledged."""
    acknowledged = [one.at for one in alert.attempts if not one.error]
    return acknowledged[-1] if alert.state == "sent" and acknowledged else None


def _topics(payload: str) -> list[str]:
    found = json.loads(payload).get("data", {}).get("topics", []) if payload else []
    return [str(one) for one in found]


def feed_document(feed: Feed, state: FeedState | None, *, now: datetime) -> dict[str, Any]:
    """``feed`` as a document; ``now`` is when its state was written, so that it is silent then."""
    found = health(feed, state, now=now)
    polled = state.last_poll if state else None
    quiet = polled - found.last_new if polled and found.last_new else None
    return _without_gaps(
        {
            "feed_id": feed.id,
            "url": cut_bytes(shown(feed.url), URL_BYTES),
            "host": (urlsplit(feed.url).hostname or "").removeprefix("www."),
            "title": found.title,
            "groups": list(feed.groups),
            "state": found.state,
            "sentence": found.sentence,
            "last_poll": _time(polled),
            "last_ok": _time(found.last_ok),
            "last_new": _time(found.last_new),
            "next_poll": _time(found.next_poll),
            "usual_gap_seconds": found.usual_gap_seconds,
            "quiet_seconds": max(0.0, quiet.total_seconds()) if quiet is not None else None,
            "failures": found.failures,
        }
    )


def alert_version(offset: int) -> int:
    """The version of an alert's document, made from its record at ``offset``."""
    return offset + 1


def feed_version(feed_offset: int, state_offset: int | None) -> int:
    """The version of a feed's document, made from its last records at these offsets.

    Both of a key only grow. An edit of the list counts above any number of polls, so a feed that
    was removed and added again is newer than it was, although its state begins anew.
    """
    return ((feed_offset + 1) << STATE_BITS) + (0 if state_offset is None else state_offset + 1)


def _time(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


def _without_gaps(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
