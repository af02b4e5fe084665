"""The records of ``alert-state``: alerts, cursors, since when a subscription counts, endpoints.

One topic, told apart by the first part of the key: ``alert:``, ``counted:``, ``cursor:``,
``since:``, ``mute:``, ``endpoint:``. They lie in the partition of their subscription's shard, and
only the owner of the shard writes them: the loop of ``search.alerts`` claims and mutes, the loop of
``search.sender`` writes outcomes and digests. Endpoints belong to no shard: whoever delivers there
says how it went.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from ingest.wire import SCHEMA, Time
from search.subscriptions import Subscription

TOPIC = "alert-state"
ALERT, COUNTED, CURSOR, SINCE, ENDPOINT = "alert:", "counted:", "cursor:", "since:", "endpoint:"
MUTE = "mute:"


def _by_partition(value: Any) -> Any:
    """A bare number is the offset in the only partition of a log in one file."""
    return {0: value} if isinstance(value, int) else value


Offsets = Annotated[Mapping[int, int], BeforeValidator(_by_partition)]
"""Next offsets by partition of ``stories``; 0 in one that is not named."""

State = Literal["waiting", "held", "sent", "failed", "muted"]
AlertType = Literal["article.matched", "story.grew", "digest", "feed.silent", "topic.burst"]
HeldFor = Literal["", "digest", "quiet", "throttle", "storm"]
"""What says "not now": a schedule, quiet hours, the subscription's limit, everybody's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to deliver; ``error`` is empty where the receiver acknowledged."""

    at: Time
    to: str
    status: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert: claimed once per (subscription, story), delivered to each of ``to``.

    Attributes:
        alert_id: Constant: a repeat after a crash carries the same.
        story_id: The story it was claimed for, the oldest of those linked.
        payload: The webhook body, so that a retry sends what the first try sent.
        pending: Targets that have not acknowledged yet; secrets are references.
        acknowledged: Targets that have.
        tries: Failed rounds so far; decides the next attempt.
        next_attempt: When the next round is due, or until when it is held; None where none is.
        type: Of the payload.
        held_for: Why it is held, or was.
        story_size: Articles of the story when it was claimed.
        members: Of a digest: the alerts that it brings.
        digest: The digest that brought this one, or failed to.
    """

    alert_id: str
    owner: str = "local"
    subscription: str
    subscription_name: str
    article_id: str
    story_id: str
    title: str
    created: Time
    state: State = "waiting"
    attempts: tuple[Attempt, ...] = ()
    pending: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    tries: int = 0
    next_attempt: Time | None = None
    payload: str = ""
    type: AlertType = "article.matched"
    held_for: HeldFor = ""
    story_size: int = 0
    members: tuple[str, ...] = ()
    digest: str = ""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """When an article last matched for a story that was claimed: the claim lives on from then.

    A record of its own, since the alert's belongs to whoever delivers it.
    """

    alert_id: str
    at: Time
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The next records that a shard has not handled.

    Attributes:
        subscriptions: The next offset in the shard's own partition of that topic.
    """

    stories: Offsets = field(default_factory=dict)
    subscriptions: int = 0
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """From where in ``stories`` on a version of a subscription counts.

    Attributes:
        offset: By partition: what lies there or later counts.
        applied: The subscription as it is in force at the cursor. A later edit may lie in the
            log already; after a restart, what came before the edit still meets this one.
    """

    subscription: str
    query_version: int
    offset: Offsets
    active: Time
    applied: Subscription
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """That a subscription wants to hear nothing more of a story."""

    subscription: str
    story_id: str
    at: Time
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How a receiver does, over all its alerts.

    Attributes:
        failing_since: The first failure after the last success.
        not_before: Until when it asked to be left alone.
        disabled: The sentence why nothing is sent there any more; empty where it is in use.
        last_ok: When it took an alert last, to the hour: not each success is written.
    """

    target: str
    failing_since: Time | None = None
    failures: int = 0
    not_before: Time | None = None
    disabled: str = ""
    last_ok: Time | None = None
    schema: int = SCHEMA


def alert_id(subscription_id: str, story_id: str, article_id: str = "") -> str:
    """The constant id of the alert for a story (and an article, where each one alerts)."""
    return _hashed(subscription_id, story_id, article_id)


def update_id(subscription_id: str, story_id: str, size: int) -> str:
    """The constant id of the alert that a story has grown to ``size``."""
    return _hashed(subscription_id, story_id, "grew", str(size))


def digest_id(subscription_id: str, first: str) -> str:
    """The constant id of the digest, or part of one, whose first member is ``first``."""
    return _hashed(subscription_id, "digest", first)


def notice_id(alert_id: str, endpoint: Endpoint) -> str:
    """The constant id of the notice that ``endpoint`` was given up while an alert went there."""
    return _hashed("given up", alert_id, endpoint.target)


def _hashed(*parts: str) -> str:
    digested = hashlib.sha256("\n".join(parts).encode()).digest()
    return base64.urlsafe_b64encode(digested[:16]).decode()[:22]


def mute_key(subscription_id: str, story_id: str) -> str:
    """The key of the record that mutes a story for a subscription."""
    return f"{MUTE}{subscription_id}:{story_id}"


def cursor_key(shard: int) -> str:
    """The key of the record of how far ``shard`` has come."""
    return f"{CURSOR}{shard}"


def endpoint_key(target: str) -> str:
    """The key of the record of ``target``'s health."""
    return ENDPOINT + hashlib.sha256(target.encode()).hexdigest()[:32]
