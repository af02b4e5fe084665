"""Many alerts of one subscription as one: what held them back, grouped by topic and story."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from ingest.clean import cut
from ingest.wire import format_time
from search.alert_state import Alert, HeldFor, digest_id
from search.payload import encoded, subscription_told
from search.subscriptions import Subscription

MAX_MEMBERS = 10_000
"""Of one digest, whose record lists them in 250 kB; more go into a further one."""

OTHER = "other"
"""The group of articles without a topic."""

TITLE_CHARS = 300
WHY_KEPT = 2
WHY_CHARS = 100
QUERY_BYTES = 500
SPARE_BYTES = 500
"""Room for the id, the sentence and counts that are not known before all is packed."""

GROUP_BYTES = 32

REASONS: dict[HeldFor, str] = {
    "quiet": "They came in quiet hours.",
    "throttle": "They are more than this subscription sends one by one.",
    "storm": "They are more than any subscription sends one by one.",
}
"""Why alerts were held, for people; of a schedule they know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large digests become, and where their links lead.

    Attributes:
        max_bytes: Of a part's payload.
        max_parts: Of a scheduled digest; all others have one.
    """

    max_bytes: int
    max_parts: int
    link_base: str


@dataclass(frozen=True, slots=True)
class _Entry:
    alert: Alert
    topic: str
    shown: dict[str, Any]
    bytes: int


@dataclass(frozen=True, slots=True)
class _Part:
    entries: list[_Entry]
    more: list[_Entry]


def digests(
    alerts: Sequence[Alert],
    subscription: Subscription,
    *,
    reason: HeldFor,
    now: datetime,
    limits: Limits,
) -> list[Alert]:
    """The parts of one digest of ``alerts``, which is of one subscription and not empty.

    Each is an alert of its own. Every one of ``alerts`` is a member of one of them: those that
    are listed nowhere are counted by the last.
    """
    window = {
        "since": format_time(min(one.created for one in alerts)),
        "until": format_time(now),
    }
    base = limits.link_base.rstrip("/")
    data: dict[str, Any] = {
        "subscription": subscription_told(subscription, max_bytes=QUERY_BYTES),
        "window": window,
        "count": len(alerts),
        "reason": reason,
        "links": {
            "all": f"{base}/alerts?subscription={subscription.id}",
            "page": f"{base}/subscriptions/{subscription.id}",
        },
    }
    spare = len(encoded(_filled(data, []), kind="digest", timestamp=now)) + SPARE_BYTES
    max_parts = limits.max_parts if reason == "digest" else 1
    parts = list(_packed(_entries(alerts), limits.max_bytes - spare, max_parts=max_parts))
    return [
        _alert(
            part, subscription, _filled(data, part.entries), number=(number, len(parts)), now=now
        )
        for number, part in enumerate(parts, 1)
    ]


def _entries(alerts: Sequence[Alert]) -> list[_Entry]:
    """In the order in which they are shown: the busiest topic first, what has none last."""
    found = [_entry(one) for one in sorted(alerts, key=lambda one: (one.created, one.alert_id))]
    busy = Counter(one.topic for one in found)
    stories: dict[tuple[str, str], int] = {}
    for number, one in enumerate(found):
        stories.setdefault((one.topic, one.alert.story_id), number)

    def place(one: _Entry) -> tuple[bool, int, str, int]:
        story = stories[one.topic, one.alert.story_id]
        return one.topic == OTHER, -busy[one.topic], one.topic, story

    return sorted(found, key=place)


def _entry(alert: Alert) -> _Entry:
    data = json.loads(alert.payload)["data"]
    article = {name: data["article"][name] for name in _ARTICLE}
    shown = {
        "story": data["story"]["id"],
        "articles": [{**article, "title": cut(article["title"], TITLE_CHARS)}],
        "why": [
            {"clause": cut(one["clause"], WHY_CHARS), "text": cut(one["text"], WHY_CHARS)}
            for one in data["why"][:WHY_KEPT]
        ],
        "alert_id": alert.alert_id,
    }
    topic = next(iter(data["topics"]), OTHER)
    return _Entry(alert, topic, shown, len(to_json(shown)) + len(to_json(topic)) + GROUP_BYTES)


_ARTICLE = ("id", "title", "url", "source", "published", "seen")


def _packed(entries: Sequence[_Entry], room: int, *, max_parts: int) -> Iterator[_Part]:
    """Parts within ``room`` bytes; each has one entry at least."""
    left, number = list(entries), 0
    while left:
        number += 1
        count, used = 1, left[0].bytes
        while count < len(left) and used + left[count].bytes <= room:
            used += left[count].bytes
            count += 1
        part, left = left[:count], left[count:]
        if number == max_parts:
            yield _Part(part, left)
            return
        yield _Part(part, [])


def _filled(data: dict[str, Any], entries: Sequence[_Entry]) -> dict[str, Any]:
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for one in entries:
        stories = groups.setdefault(one.topic, {})
        if (known := stories.get(one.shown["story"])) is None:
            stories[one.shown["story"]] = {**one.shown}
        else:
            known["articles"] = [*known["articles"], *one.shown["articles"]]
    return data | {
        "groups": [
            {"topic": topic, "stories": list(stories.values())} for topic, stories in groups.items()
        ],
    }


def _alert(
    part: _Part,
    subscription: Subscription,
    data: dict[str, Any],
    *,
    number: tuple[int, int],
    now: datetime,
) -> Alert:
    members = [one.alert for one in (*part.entries, *part.more)]
    first = min(members, key=lambda one: (one.created, one.alert_id))
    made_id = digest_id(subscription.id, first.alert_id)
    count, more = data["count"], len(part.more)
    body = {
        "alert_id": made_id,
        **data,
        "part": number[0],
        "parts": number[1],
        "more": more,
        "sentence": " ".join(_sentences(data, number, more)),
    }
    return Alert(
        alert_id=made_id,
        owner=subscription.owner,
        subscription=subscription.id,
        subscription_name=subscription.name,
        article_id="",
        story_id="",
        title=_title(count, number),
        created=now,
        pending=subscription.to,
        next_attempt=now,
        payload=encoded(body, kind="digest", timestamp=now).decode(),
        type="digest",
        held_for=data["reason"],
        members=tuple(one.alert_id for one in members),
    )


def _title(count: int, number: tuple[int, int]) -> str:
    title = f"{count} alerts" if count != 1 else "1 alert"
    return title if number[1] == 1 else f"{title}, part {number[0]} of {number[1]}"


def _sentences(data: dict[str, Any], number: tuple[int, int], more: int) -> Iterator[str]:
    yield f"{_title(data['count'], number)} since {data['window']['since'][:16]} UTC."
    if data["reason"] in REASONS:
        yield REASONS[data["reason"]]
    if more:
        yield f"And {more} more, not shown here; all of them are listed among the alerts."
