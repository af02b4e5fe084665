"""Which alerts may go at once, and which are held: what went so far, counted in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from ingest.errors import UsageError
from search.alert_state import Alert
from search.subscriptions import Subscription
from search.timing import Hold, Throttle, Timing

_events = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Went:
    """When messages of one subscription went, or will, oldest first; a digest is one."""

    slots: list[datetime] = field(default_factory=list)
    hold: Hold | None = None
    version: int = 0

    def add(self, slot: datetime) -> None:
        """Count a message; what is held together is one."""
        place = bisect_left(self.slots, slot)
        if self.hold is None or self.slots[place : place + 1] != [slot]:
            self.slots.insert(place, slot)


class Pace:
    """Counts the alerts of each subscription against its limits. For one thread.

    Args:
        storm: The limit for everybody.

    Attributes:
        is_hurried: Nothing is held: ``run --once`` knows no digests and no quiet hours.
    """

    def __init__(self, *, storm: Throttle | None) -> None:
        self.is_hurried = False
        self._storm = storm
        self._went: dict[str, _Went] = {}
        self._timings: dict[str, tuple[int, Timing]] = {}

    def hold(self, subscription: Subscription, now: datetime) -> Hold | None:
        """Why and until when an alert claimed now is held; None where it goes at once."""
        if self.is_hurried:
            return None
        timing = self._timing(subscription)
        hold = timing.release(now)
        if hold is not None and hold.why == "digest":
            return hold  # limits are for what goes one by one
        went = self._went.setdefault(subscription.id, _Went())
        if went.version != subscription.version:
            went.version, went.hold = subscription.version, None
        if not _may_join(went.hold, timing, now):
            went.hold = _limited(went.slots, timing, hold, now)
            went.add(went.hold.until if went.hold else now)
            old = now - max((one.window for one in timing.limits.values()), default=timedelta())
            del went.slots[: bisect_left(went.slots, old)]
        return went.hold

    def longest(self, subscriptions: Iterable[Subscription]) -> timedelta:
        """How far back what went counts for any of ``subscriptions``."""
        limits = [self._storm, *(self._timing(one).throttle for one in subscriptions)]
        return max((one.window for one in limits if one is not None), default=timedelta())

    def recall(self, stored: Iterable[Alert]) -> None:
        """Count what went of shards that came to us."""
        for alert in stored:
            if alert.digest or alert.state == "muted" or alert.held_for == "digest":
                continue
            slots = self._went.setdefault(alert.subscription, _Went()).slots
            at = alert.attempts[0].at if alert.attempts else alert.created
            if alert.state != "held":
                insort(slots, at)
            elif alert.next_attempt is not None and alert.next_attempt not in slots:
                insort(slots, alert.next_attempt)  # of all that go together then

    def clear(self) -> None:
        """Forget it all: it is read again."""
        self._went.clear()

    def forget(self, subscriptions: Collection[str]) -> None:
        """These are not ours any more."""
        for one in subscriptions:
            self._went.pop(one, None)
            self._timings.pop(one, None)

    def _timing(self, subscription: Subscription) -> Timing:
        version, timing = self._timings.get(subscription.id, (0, Timing()))
        if version != subscription.version:
            timing = timing_of(subscription, storm=self._storm)
            self._timings[subscription.id] = (subscription.version, timing)
        return timing


def timing_of(subscription: Subscription, *, storm: Throttle | None) -> Timing:
    """What ``subscription`` says; what another version, or machine, wrote holds nothing back."""
    try:
        return Timing.of(subscription, storm=storm)
    except UsageError as error:
        _events.error("timing cannot be read", subscription=subscription.id, reason=error.sentence)
        return Timing(storm=storm)


def _may_join(hold: Hold | None, timing: Timing, now: datetime) -> bool:
    """Whether ``hold``, of those before it, is in force still: nothing overtakes them."""
    if hold is None or hold.until <= now:
        return False
    limit = timing.limits.get(hold.why)
    # Where the clock was put back, nobody waits longer than the limit says.
    return hold.until <= timing.after_quiet(now + limit.window if limit else now)


def _limited(
    slots: list[datetime], timing: Timing, hold: Hold | None, now: datetime
) -> Hold | None:
    """``hold``, or one for longer where a limit is spent."""
    for why, limit in timing.limits.items():
        at = hold.until if hold else now
        later = limit.next_after(slots, at)
        if later > at:
            hold = Hold(why=why, until=later)
    return hold and replace(hold, until=timing.after_quiet(hold.until))
