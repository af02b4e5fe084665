"""Held alerts that come due: one goes as itself, several of a subscription as one digest.

The digest is stored before it is sent, with its members: after a crash it is sent again as it is,
and a member belongs to no other. What becomes of it is then noted on each member.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from ingest.errors import FencedError, UnavailableError, UsageError
from ingest.log import Log
from ingest.wire import decode
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, Alert
from search.deliveries import REMOVED, given_up, muted
from search.digests import MAX_MEMBERS, Limits, digests
from search.held import LONG_AGO, Held, HeldAlert
from search.outcomes import Outcomes, alert_record, stored_alerts
from search.ownership import Ownership
from search.pace import timing_of
from search.subscriptions import Subscription
from search.timing import Throttle, Timing
from search.waiting import Found

AT_ONCE = 200
"""Subscriptions looked at together: many digests may have one hour."""

READ = 500
"""Alerts read, or written, in one go."""

LATER_SECONDS = 5.0
"""When what could not be read is tried again."""

BROKEN_SECONDS = 3600.0
"""When what failed for a reason of our own is tried again."""

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """What of one subscription, None where it was removed, goes now."""

    subscription: Subscription | None
    timing: Timing
    held: Sequence[HeldAlert]


class Gathering:
    """The way of held alerts to those that wait. For one event loop.

    Attributes:
        held: What is held here.
        is_busy: ``release`` is about to run, or runs.
    """

    def __init__(
        self,
        log: Log,
        outcomes: Outcomes,
        *,
        shards: Ownership,
        settings: AlertSettings,
        clock: Callable[[], datetime],
        crash_point: Callable[[str], None],
    ) -> None:
        self.held = Held()
        self.is_busy = False
        self._log = log
        self._outcomes = outcomes
        self._shards = shards
        self._storm = Throttle.parse(settings.storm) if settings.storm else None
        self._limits = Limits(
            max_bytes=settings.payload_bytes,
            max_parts=settings.digest_parts,
            link_base=settings.link_base,
        )
        self._clock = clock
        self._crash_point = crash_point
        self._now = LONG_AGO
        self._not_before = LONG_AGO

    def take_in(self, found: Found) -> list[Alert]:
        """What was read of shards that came to us; digests that are over, but not all marked."""
        self.held.forget(found.gained)
        ids = {one.alert_id for one in found.held}
        over = []
        for digest in found.digests:
            if not ids.isdisjoint(digest.members):
                self.held.bind(digest.alert_id, digest.members)
                if digest.state != "waiting":
                    over.append(digest)
        self.held.add(found.held)
        return over

    def next_look(self, now: datetime) -> datetime | None:
        """When ``release`` may have something to do."""
        if now < self._now:  # the clock was put back: limits end by the clock that runs now
            self.held.look_at_all()
        self._now = now
        look = self.held.next_look()
        return look and max(look, self._not_before)

    async def release(self, *, together: bool) -> list[str]:
        """The ids of alerts that wait from now on; each by itself where not ``together``."""
        now = self._clock()
        names = self.held.pop_looks(now, count=AT_ONCE)
        released: list[str] = []
        try:
            await self._release(names, released, now=now, together=together)
        except UnavailableError as error:
            self._wait(names, error)
        except Exception:  # noqa: BLE001 - said below, of whose it is: the others go on (P4)
            for name in names:
                await self._release_alone(name, released, now=now, together=together)
        return released

    async def _release_alone(
        self, name: str, released: list[str], *, now: datetime, together: bool
    ) -> None:
        """Release one that may be broken; it is neither forgotten nor looked at all the time."""
        try:
            await self._release([name], released, now=now, together=together)
        except UnavailableError as error:
            self._wait([name], error)
        except Exception as error:  # noqa: BLE001 - it waits (P4)
            _events.error("gathering broke", subscription=name, exc_info=error)
            self.held.put_off(name, now + timedelta(seconds=BROKEN_SECONDS))

    async def _release(
        self, names: Sequence[str], released: list[str], *, now: datetime, together: bool
    ) -> None:
        """Add to ``released``. What fails raises, and is held as before."""
        left: list[_Due] = []
        try:
            found = await asyncio.to_thread(self._subscriptions, names)
            for name, subscription in found.items():
                left += self._due(name, subscription, now)
            for count in _batches(left):
                released += await self._released(left[:count], now=now, together=together)
                del left[:count]
        finally:
            for due in left:
                self.held.add(due.held)

    def _wait(self, names: Sequence[str], error: UnavailableError) -> None:
        _events.warning("held alerts wait", reason=error.sentence)
        self._not_before = self._clock() + timedelta(seconds=LATER_SECONDS)
        for name in names:
            self.held.look_again(name)

    async def let_go(self, alert: Alert, *, shard: int) -> None:
        """Have one that is held go now, by itself.

        Raises:
            UsageError: it is on its way already.
            FencedError: it is not ours.
        """
        was_held = self.held.remove([alert.alert_id], subscription=alert.subscription)
        if not was_held and self.is_busy:
            raise UsageError(f"alert {alert.alert_id} is about to be sent", code="under-way")
        since = dict(self._shards.held())
        waiting = replace(alert, state="waiting", next_attempt=self._clock())
        await self._outcomes.write([alert_record(waiting, shard)], since=since)

    def _due(self, name: str, subscription: Subscription | None, now: datetime) -> list[_Due]:
        if subscription is not None and subscription.paused:
            return []  # until it is edited
        timing = timing_of(subscription, storm=self._storm) if subscription else None
        ripe = [
            one
            for one in self.held.take(name, timing, now=now)
            if self._shards.holds(one.shard, one.since)
        ]
        return [
            _Due(
                subscription=subscription,
                timing=timing or Timing(),
                held=ripe[first : first + MAX_MEMBERS],
            )
            for first in range(0, len(ripe), MAX_MEMBERS)
        ]

    async def _released(self, some: Sequence[_Due], *, now: datetime, together: bool) -> list[str]:
        """Raises UnavailableError: the log cannot be read now."""
        made = await asyncio.to_thread(self._made, some, now=now, together=together)
        for alert, _ in made:
            self.held.bind(alert.alert_id, alert.members)
        since = {one.shard: one.since for due in some for one in due.held}
        said = [alert_record(alert, shard) for alert, shard in made]
        written: set[str] = set()
        try:
            with suppress(FencedError):  # their owner reads them, and nothing was sent
                written = await self._outcomes.write(said, since=since) if said else written
        finally:
            for alert, _ in made:
                if ALERT + alert.alert_id not in written:
                    self.held.unbind(alert.members)
        self._crash_point("digest")
        for alert, _ in made:
            if alert.type == "digest" and ALERT + alert.alert_id in written:
                _events.info("digest made", alert=alert.alert_id, count=len(alert.members))
        return [
            alert.alert_id
            for alert, _ in made
            if alert.state == "waiting" and ALERT + alert.alert_id in written
        ]

    def _made(
        self, some: Sequence[_Due], *, now: datetime, together: bool
    ) -> list[tuple[Alert, int]]:
        """What is to be written, with its shard."""
        ids = [one.alert_id for due in some for one in due.held]
        stored = {}
        for first in range(0, len(ids), READ):
            for alert, shard in stored_alerts(self._log, ids[first : first + READ]):
                if alert.state == "held" and not self.held.digest_of(alert.alert_id):
                    stored[alert.alert_id] = (alert, shard)
        silent = self._outcomes.muted([alert for alert, _ in stored.values()])
        made = []
        for due in some:
            found = [stored[one.alert_id] for one in due.held if one.alert_id in stored]
            made += [(muted(one), shard) for one, shard in found if one.alert_id in silent]
            left = [(one, shard) for one, shard in found if one.alert_id not in silent]
            if left:
                alerts, shard = [one for one, _ in left], left[0][1]
                gone = self._gone(due, alerts, now=now, together=together)
                made += [(one, shard) for one in gone]
        return made

    def _gone(
        self, due: _Due, alerts: Sequence[Alert], *, now: datetime, together: bool
    ) -> list[Alert]:
        """How ``alerts`` go, or that they do not."""
        if due.subscription is None:
            return [given_up(one, REMOVED, now=now) for one in alerts]
        is_digest = due.timing.digest is not None
        if not together or (len(alerts) == 1 and not is_digest):
            return [replace(one, state="waiting", next_attempt=now) for one in alerts]
        reason = "digest" if is_digest else alerts[0].held_for
        try:
            return digests(alerts, due.subscription, reason=reason, now=now, limits=self._limits)
        except Exception as error:  # noqa: BLE001 - listed as failed, others go on (P2, P4)
            _events.error("digest broke", subscription=due.subscription.id, exc_info=error)
            why = f"They could not be put together ({type(error).__name__})."
            return [given_up(one, why, now=now) for one in alerts]

    def _subscriptions(self, names: Sequence[str]) -> dict[str, Subscription | None]:
        found = self._log.table("subscriptions").many(names)
        return {
            name: decode(Subscription, found[name].value or b"") if name in found else None
            for name in names
        }


def _batches(left: Sequence[_Due]) -> Iterator[int]:
    """How many of ``left``, from its start, to handle at once; ``left`` shrinks meanwhile."""
    while left:
        count = alerts = 0
        while count < len(left) and (not count or alerts + len(left[count].held) <= READ):
            alerts += len(left[count].held)
            count += 1
        yield count
