"""Rounds that are due, to their receivers: one turn after the other before each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from ingest.errors import FencedError, UnavailableError
from search.alert_state import Alert, notice_id
from search.deliveries import Outcome
from search.held import Held
from search.lanes import Lane
from search.receivers import Receivers
from search.rewrites import Rewrites
from search.rounds import Rounds, report
from search.tasks import Tasks
from search.waiting import Waiting

LATER_SECONDS = 5.0
"""When an alert that could not be read is tried again."""

BROKEN_SECONDS = 3600.0
"""When one is tried again whose delivery we broke ourselves: it may have been sent."""

MAX_BEGINNING = 200
"""Rounds being begun at a time: the rest of a burst waits as bare ids."""

_events = structlog.get_logger(__name__)


class Turns:
    """Begins rounds and sends. For one event loop.

    Attributes:
        is_patient: Whether a failing receiver gets a rest.
    """

    def __init__(
        self,
        *,
        rounds: Rounds,
        receivers: Receivers,
        waiting: Waiting,
        held: Held,
        rewrites: Rewrites,
        tasks: Tasks,
        clock: Callable[[], datetime],
    ) -> None:
        self.is_patient = True
        self._rounds = rounds
        self._receivers = receivers
        self._waiting = waiting
        self._held = held
        self._rewrites = rewrites
        self._tasks = tasks
        self._clock = clock
        self._backlog: deque[str] = deque()
        self._is_beginning = False

    def begin(self, alert_ids: Sequence[str]) -> None:
        """Begin the rounds of these, as soon as few others are being begun."""
        self._backlog += alert_ids
        self._begin_more()

    def look_at_lanes(self) -> None:
        """Some rests may be over."""
        for lane in self._receivers.lanes():
            self.pump(lane)

    async def mark(self, digests: Sequence[Alert]) -> None:
        """Note on the members of digests that are over what became of them."""
        for one in digests:
            await self._rewrites.mark(one)

    def _begin_more(self) -> None:
        if self._backlog and not self._is_beginning:
            self._is_beginning = True
            count = min(len(self._backlog), MAX_BEGINNING)
            self._tasks.start(self._begin([self._backlog.popleft() for _ in range(count)]))

    async def _begin(self, alert_ids: list[str]) -> None:
        try:
            begun = await self._rounds.begin(alert_ids)
            pairs = [(one, to) for one, targets in begun.targets.items() for to in targets]
            lanes = [(await self._receivers.lane(target), one) for one, target in pairs]
        except Exception as error:  # noqa: BLE001 - said there
            if len(alert_ids) == 1 or isinstance(error, UnavailableError):
                self.again_later(alert_ids, error)
            else:
                await self._begin_each(alert_ids)
            return
        finally:
            self._is_beginning = False
        self._begin_more()
        for alert_id in alert_ids:
            if alert_id in begun.early:
                self._waiting.put_off(alert_id, begun.early[alert_id])
            elif alert_id in begun.elsewhere:
                self._waiting.let_go(alert_id, begun.elsewhere[alert_id])
            elif alert_id not in self._rounds:
                self._waiting.done(alert_id)
        self._held.add(begun.held)
        self._tasks.start(self.mark(begun.over))
        for lane, alert_id in lanes:
            lane.waiting.append(alert_id)
            self.pump(lane)

    async def _begin_each(self, alert_ids: Sequence[str]) -> None:
        """Begin by itself each of several of which one breaks: the others do not wait with it."""
        for alert_id in alert_ids:
            if alert_id in self._rounds:
                self._rounds.abandon(alert_id)
            await self._begin([alert_id])

    def again_later(self, alert_ids: Sequence[str], error: BaseException) -> None:
        """Their rounds broke: neither forget them nor send them time and again."""
        if isinstance(error, UnavailableError):
            _events.warning("stage waits", stage="deliver", reason=error.sentence)
            seconds = LATER_SECONDS
        else:
            _events.error("delivery broke", alerts=len(alert_ids), exc_info=error)
            seconds = BROKEN_SECONDS
        for alert_id in alert_ids:
            if alert_id in self._rounds:
                self._rounds.abandon(alert_id)
            self._waiting.put_off(alert_id, self._clock() + timedelta(seconds=seconds))

    def pump(self, lane: Lane) -> None:
        """Send what may be sent to a receiver now."""
        while (alert_id := lane.next(now=self._clock(), patient=self.is_patient)) is not None:
            lane.running += 1
            self._tasks.start(self._turn(lane, alert_id))

    async def _turn(self, lane: Lane, alert_id: str) -> None:
        try:
            async with lane.host:
                await self.attempt(lane.endpoint.target, alert_id)
        except Exception as error:  # noqa: BLE001 - said there
            self.again_later([alert_id], error)
        finally:
            lane.running -= 1
        self.pump(lane)

    async def note(self, target: str, outcome: Outcome) -> None:
        """A receiver that acknowledged a test is in use again."""
        lane = await self._receivers.lane(target)
        if not outcome.error and self._receivers.learn(lane, outcome):
            await self._rounds.note(lane.endpoint)
            lane.is_stored = True
            self.pump(lane)

    async def attempt(self, target: str, alert_id: str, *, forced: bool = False) -> None:
        """Try one target of a round that has begun; ``forced``: whatever its state."""
        lane = await self._receivers.lane(target)
        if not self._rounds.wants(alert_id, target):  # let go meanwhile
            return
        is_changed = is_given_up = False
        try:
            if lane.endpoint.disabled and not forced:
                hint = "Once it works: wirewatch subscriptions test NAME, then alerts retry ID."
                outcome = Outcome(error=f"Not sent. {lane.endpoint.disabled} {hint}", final=True)
            else:
                delivery = await self._rounds.delivery(alert_id, target)
                outcome = await self._receivers.deliver(delivery)
                was_given_up = bool(lane.endpoint.disabled)
                is_changed = self._receivers.learn(lane, outcome)
                is_given_up = bool(lane.endpoint.disabled) and not was_given_up
            over = await self._rounds.settle(
                alert_id,
                outcome,
                endpoint=lane.endpoint,
                is_changed=is_changed,
                is_given_up=is_given_up,
            )
        except FencedError:  # whoever owns the shard now begins it anew, and that may be us again
            if alert_id in self._rounds:
                self._waiting.let_go(alert_id, self._rounds.abandon(alert_id))
            return
        finally:
            lane.is_stored = lane.is_stored or is_changed
        if is_given_up:
            self.begin([notice_id(alert_id, lane.endpoint)])
        if over is not None:
            report(over, outcome)
            self._waiting.settled(over)
            if over.members and over.state in ("sent", "failed"):
                self._tasks.start(self._rewrites.mark(over))
