"""What is due when: the retry schedule of Standard Webhooks, and what an answer leads to.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from search.alert_state import Alert, Attempt, Endpoint
from search.subscriptions import Subscription, redacted

_HOURS = 3600.0
RETRY_SECONDS = (
    5.0,
    300.0,
    1800.0,
    2 * _HOURS,
    5 * _HOURS,
    10 * _HOURS,
    14 * _HOURS,
    20 * _HOURS,
    24 * _HOURS,
)
"""Between a failed attempt and the next, after the first one at once: 75 hours together."""

JITTER = 0.1
"""Of the wait, so that what failed together does not come back together."""

MAX_RETRY_AFTER_SECONDS = 24 * _HOURS
"""The longest step of the schedule: no receiver can hold an alert back for longer."""

FIRST_REST_SECONDS = 1.0
LAST_REST_SECONDS = 60.0
"""Between attempts at a receiver that fails, whatever the alert: one probe a minute at most."""

MAX_ATTEMPTS_KEPT = 50
GONE = 410
ERROR_CHARS = 300
REMOVED = "The subscription was removed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt; acknowledged where ``error`` is empty.

    Attributes:
        retry_after_seconds: What the receiver asked for; 0 where nothing.
        final: Trying again is of no use: it is gone, or nothing is sent there any more.
    """

    status: int = 0
    error: str = ""
    retry_after_seconds: float = 0.0
    final: bool = False


def targets_left(alert: Alert, subscription: Subscription) -> tuple[str, ...]:
    """Where ``alert`` still has to go: an edit of the targets counts for what waits, too."""
    pending = tuple(one for one in alert.pending if one in subscription.to)
    if pending:
        return pending
    return tuple(one for one in subscription.to if one not in alert.acknowledged)


def answered(alert: Alert, target: str, outcome: Outcome, *, now: datetime) -> Alert:
    """``alert`` after one attempt at one of its targets."""
    error = outcome.error[:ERROR_CHARS]
    attempt = Attempt(at=now, to=redacted(target), status=outcome.status, error=error)
    attempts = (*alert.attempts, attempt)[-MAX_ATTEMPTS_KEPT:]
    if outcome.error:
        return replace(alert, attempts=attempts)
    pending = tuple(one for one in alert.pending if one != target)
    acknowledged = (*alert.acknowledged, target)
    return replace(alert, attempts=attempts, pending=pending, acknowledged=acknowledged)


def concluded(alert: Alert, outcomes: Sequence[Outcome], *, now: datetime, chance: float) -> Alert:
    """``alert`` after a round: each of its targets was tried once.

    ``outcomes`` are those of the round; ``chance`` from 0 to 1 is for the jitter.
    """
    if not alert.pending:
        return replace(alert, state="sent", next_attempt=None)
    tries = alert.tries + 1
    failures = [one for one in outcomes if one.error]
    if tries > len(RETRY_SECONDS) or all(one.final for one in failures):
        return replace(alert, state="failed", tries=tries, next_attempt=None)
    wait = RETRY_SECONDS[tries - 1] * (1 + JITTER * chance)
    asked = max((one.retry_after_seconds for one in failures), default=0.0)
    later = now + timedelta(seconds=max(wait, min(asked, MAX_RETRY_AFTER_SECONDS)))
    return replace(alert, state="waiting", tries=tries, next_attempt=later)


def given_up(alert: Alert, reason: str, *, now: datetime) -> Alert:
    """``alert`` failed for ``reason``, without an attempt."""
    attempt = Attempt(at=now, to="", error=reason)
    attempts = (*alert.attempts, attempt)[-MAX_ATTEMPTS_KEPT:]
    return replace(alert, state="failed", attempts=attempts, next_attempt=None)


def muted(alert: Alert) -> Alert:
    """``alert``, never to be sent: its story is muted."""
    return replace(alert, state="muted", next_attempt=None)


def health(
    endpoint: Endpoint, outcome: Outcome, *, now: datetime, disable_after_hours: float
) -> Endpoint:
    """How the receiver does after ``outcome``; the same object where nothing changed."""
    if not outcome.error:
        is_well = endpoint.failing_since is None and not endpoint.disabled
        if is_well and endpoint.last_ok and now - endpoint.last_ok < timedelta(hours=1):
            return endpoint
        return Endpoint(target=endpoint.target, last_ok=now)
    since = endpoint.failing_since or now
    disabled = endpoint.disabled
    if outcome.status == GONE:
        disabled = disabled or "The receiver answered 410 Gone: it wants no more alerts."
    elif now - since >= timedelta(hours=disable_after_hours):
        disabled = disabled or f"It has failed since {since:%Y-%m-%d %H:%M} UTC."
    asked = min(outcome.retry_after_seconds, MAX_RETRY_AFTER_SECONDS)
    return replace(
        endpoint,
        failing_since=since,
        failures=endpoint.failures + 1,
        not_before=now + timedelta(seconds=asked) if asked else None,
        disabled=disabled,
    )


def rest_seconds(endpoint: Endpoint) -> float:
    """How long to leave a failing receiver alone before the next attempt, of whatever alert."""
    if not endpoint.failures:
        return 0.0
    doubled = FIRST_REST_SECONDS * 2.0 ** min(endpoint.failures - 1, 10)
    return min(doubled, LAST_REST_SECONDS)


def size_step(size: int) -> int:
    """The last of 2, 5, 10, 20, 50, 100, … articles that a story has reached; 0 before the first.

    So that who asked for updates hears of a story that doubles, not of each of its articles.
    """
    step, found = 1, 0
    while step <= size:
        found = max((one for one in (step, 2 * step, 5 * step) if 1 < one <= size), default=0)
        step *= 10
    return found


Gate = Literal["open", "closed", "disabled"]


def gate(endpoint: Endpoint, *, now: datetime) -> Gate:
    """Whether an alert may be sent to the receiver now."""
    if endpoint.disabled:
        return "disabled"
    if endpoint.not_before is not None and now < endpoint.not_before:
        return "closed"
    return "open"
