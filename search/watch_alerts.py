"""Alerts of what is unusual in feeds and topics: their ids, their words, their records. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ingest.clean import cut, one_line
from ingest.wire import SCHEMA, Time, format_time
from search.alert_state import Alert, alert_id
from search.claims import TITLE_CHARS
from search.pace import timing_of
from search.payload import encoded, subscription_told
from search.subscriptions import Subscription

EPISODE = "episode:"
"""Begins the key of a burst that goes on, in ``alert-state``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A burst of a topic that goes on, as one subscription was told of it."""

    began: Time
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """What is unusual.

    Attributes:
        what: The id of the feed or the topic.
        began: Which episode it is: one is told once.
        sentence: For people.
        path: Of the page that shows it.
        numbers: For programs.
    """

    kind: Literal["feed.silent", "topic.burst"]
    what: str
    began: datetime
    sentence: str
    path: str
    numbers: dict[str, Any]
    source: str = ""


def episode_key(subscription_id: str, topic: str) -> str:
    """The key of a burst's record."""
    return f"{EPISODE}{subscription_id}:{topic}"


def unusual_id(subscription: Subscription, found: Unusual) -> str:
    """The id of the alert, the same whenever and wherever it is found."""
    return alert_id(subscription.id, f"{found.kind}:{found.what}", format_time(found.began))


def unusual_alert(
    subscription: Subscription, found: Unusual, *, link_base: str, now: datetime
) -> Alert:
    """The alert; digests and quiet hours hold it as any other."""
    made_id = unusual_id(subscription, found)
    body = _data(subscription, found, made_id, link=f"{link_base.rstrip('/')}{found.path}")
    alert = Alert(
        alert_id=made_id,
        owner=subscription.owner,
        subscription=subscription.id,
        subscription_name=subscription.name,
        article_id="",
        story_id="",
        title=cut(one_line(found.sentence), TITLE_CHARS),
        created=now,
        pending=subscription.to,
        next_attempt=now,
        type=found.kind,
        payload=encoded(body, kind=found.kind, timestamp=now).decode(),
    )
    hold = timing_of(subscription, storm=None).release(now)
    if hold is None:
        return alert
    return replace(alert, state="held", held_for=hold.why, next_attempt=hold.until)


def _data(subscription: Subscription, found: Unusual, made_id: str, *, link: str) -> dict[str, Any]:
    """As of an article whose title is the sentence, so that every channel can say it."""
    began = format_time(found.began)
    return {
        "alert_id": made_id,
        "subscription": subscription_told(subscription),
        "article": {
            "id": "",
            "title": one_line(found.sentence),
            "url": link,
            "source": found.source,
            "published": began,
            "seen": began,
            "language": "en",
            "excerpt": "",
        },
        "story": {"id": "", "size": 0, "sources": []},
        "topics": [found.what] if found.kind == "topic.burst" else [],
        "why": [],
        "links": {"article": link, "story": "", "mute": ""},
        "watch": {"what": found.what, "began": began, **found.numbers},
    }
