"""A round of an alert: each of its targets is tried once, and each answer is written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from ingest.errors import NotFoundError, UnavailableError
from ingest.log import Log, NewRecord
from ingest.wire import decode, encode
from search.alert_state import ALERT, TOPIC, Alert, Endpoint, endpoint_key
from search.deliveries import Outcome, answered, concluded, given_up, targets_left
from search.subscriptions import Subscription

RETRY_WRITE_SECONDS = 1.0
"""While the log is full: what was acknowledged is not sent again, its outcome waits."""

MAX_KEPT = 500
"""Alerts of open rounds in memory, 10 MB at most: thousands may wait for one receiver."""

REMOVED = "The subscription was removed."

_events = structlog.get_logger(__name__)


@dataclass(slots=True)
class Round:
    """What a round still has to do.

    Attributes:
        alert: As stored; None where so many are open that they are read again when needed.
        pending: Targets that have not acknowledged.
        left: Of these, the ones not tried yet.
        outcomes: Of those that were.
    """

    alert: Alert | None
    pending: tuple[str, ...]
    left: set[str]
    outcomes: list[Outcome] = field(default_factory=list)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rounds:
    """Alerts under way, and the only writer of their outcomes. For one event loop."""

    def __init__(
        self,
        log: Log,
        *,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        crash_point: Callable[[str], None],
    ) -> None:
        self._log = log
        self._clock = clock
        self._chance = chance
        self._crash_point = crash_point
        self._open: dict[str, Round] = {}

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self._open

    async def begin(self, alert_id: str, *, again: bool = False) -> tuple[str, ...]:
        """The targets of a new round; none where the alert does not wait (or, ``again``, is sent).

        Raises:
            UnavailableError: the log cannot be read now.
        """
        alert = self._stored(alert_id)
        wanted = ("waiting", "failed", "muted") if again else ("waiting",)
        if alert is None or alert.state not in wanted or alert_id in self._open:
            return ()
        if not again and alert.next_attempt and alert.next_attempt > self._clock():
            return ()
        subscription = self._subscription(alert.subscription)
        if subscription is None:
            await self._write(given_up(alert, REMOVED, now=self._clock()))
            return ()
        targets = targets_left(alert, subscription)
        if not targets:
            await self._write(replace(alert, pending=(), state="sent", next_attempt=None))
            return ()
        kept = alert if len(self._open) < MAX_KEPT else None
        self._open[alert_id] = Round(alert=kept, pending=targets, left=set(targets))
        return targets

    def alert(self, alert_id: str) -> Alert:
        """The alert of a round that is under way."""
        alert = self._open[alert_id].alert or self._stored(alert_id)
        if alert is None:
            raise NotFoundError(f"alert {alert_id} was removed while it was delivered")
        return alert

    async def settle(
        self, alert_id: str, outcome: Outcome, *, endpoint: Endpoint, is_changed: bool
    ) -> Alert | None:
        """Write what came of one target; the alert, where the round is over with it."""
        self._crash_point("K7")
        one = self._open[alert_id]
        async with one.writing:
            stored = self.alert(alert_id)
            now = self._clock()
            alert = replace(stored, state="waiting", pending=one.pending)
            alert = answered(alert, endpoint.target, outcome, now=now)
            one.pending = alert.pending
            one.outcomes.append(outcome)
            one.left.discard(endpoint.target)
            if not one.left:
                alert = concluded(alert, one.outcomes, now=now, chance=self._chance())
            one.alert = one.alert and alert
            await self._write(alert, endpoint if is_changed else None)
        if one.left:
            return None
        del self._open[alert_id]
        return alert

    async def note(self, endpoint: Endpoint) -> None:
        """Write how a receiver does, without an alert."""
        await self._append([_health(endpoint)])

    async def _write(self, alert: Alert, endpoint: Endpoint | None = None) -> None:
        records = [NewRecord(topic=TOPIC, key=ALERT + alert.alert_id, value=encode(alert))]
        if endpoint is not None:
            records.append(_health(endpoint))
        await self._append(records)

    async def _append(self, records: list[NewRecord]) -> None:
        while True:
            try:
                await asyncio.wrap_future(self._log.submit(records))
            except UnavailableError as error:
                _events.warning("outcome waits", reason=error.sentence)
                await asyncio.sleep(RETRY_WRITE_SECONDS)
            else:
                return

    def _stored(self, alert_id: str) -> Alert | None:
        # In the event loop: one row by its key takes 0.03 ms, handing it to a thread 0.2.
        record = self._log.table(TOPIC).get(ALERT + alert_id)
        return None if record is None else decode(Alert, record.value or b"")

    def _subscription(self, subscription_id: str) -> Subscription | None:
        record = self._log.table("subscriptions").get(subscription_id)
        return None if record is None else decode(Subscription, record.value or b"")


def report(alert: Alert, outcome: Outcome) -> None:
    """One line in the log about a round that is over; ``outcome`` is its last."""
    if alert.state == "sent":
        _events.info("alert sent", alert=alert.alert_id, name=alert.subscription_name)
        return
    _events.warning(
        "alert not delivered",
        alert=alert.alert_id,
        name=alert.subscription_name,
        state=alert.state,
        reason=outcome.error,
        next_try=str(alert.next_attempt or "never"),
    )


def _health(endpoint: Endpoint) -> NewRecord:
    return NewRecord(topic=TOPIC, key=endpoint_key(endpoint.target), value=encode(endpoint))
