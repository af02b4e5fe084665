"""The loop that delivers: waiting alerts out of the log, to their receivers, outcomes back.

Claim stored, then sent, then outcome stored: each alert arrives at least once with one id, or is
listed as failed; without a crash exactly once (promise P2).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import structlog

from ingest.connections import Connections
from ingest.errors import FencedError, NotFoundError, UnavailableError, UsageError
from ingest.guard import Guard
from ingest.log import Log
from ingest.wire import decode
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, TOPIC, Alert
from search.channels import Channels
from search.deliveries import Outcome
from search.erased_alerts import ErasedAlerts, refuse_erased
from search.lanes import Lane
from search.ownership import Ownership, Whole
from search.receivers import Receivers
from search.rounds import Rounds, report
from search.secrets import Vault
from search.subscriptions import redacted
from search.tasks import Tasks
from search.trial import tried
from search.waiting import Waiting

LOOK_SECONDS = 1.0
"""How often we look for shards that came to us."""

LATER_SECONDS = 5.0
"""When an alert that could not be read is tried again."""

BROKEN_SECONDS = 3600.0
"""When one is tried again whose delivery we broke ourselves: it may have been sent."""

SAY_AGAIN_SECONDS = 5.0
"""How soon the late word of a shard's earlier owner is set right."""

FINISH_SECONDS = 5.0
"""What is under way at the end may finish; SIGTERM promises an end within ten seconds (F34)."""

MAX_BEGINNING = 200
"""Rounds being begun at a time: the rest of a burst waits as bare ids."""

_events = structlog.get_logger(__name__)


class Sender:
    """Delivers what waits. ``run`` or ``once``, ``retry`` and ``send_test`` share an event loop.

    Args:
        connections: Other look-ups or certificates than the system's.
        stdout, as_json: Where ``stdout:`` goes, and whether as payloads.
    """

    def __init__(
        self,
        log: Log,
        *,
        settings: AlertSettings,
        guard: Guard,
        secrets: Vault,
        shards: Ownership | None = None,
        connections: Connections | None = None,
        stdout: TextIO | None = None,
        as_json: bool = False,
        crash_point: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        shards = shards or Whole()
        self._log = log
        self._clock = clock
        channels = Channels(
            connections=connections or Connections(guard, keep_alive=True),
            secrets=secrets,
            settings=settings,
            stdout=stdout,
            as_json=as_json,
        )
        self._receivers = Receivers(log, channels, settings=settings, clock=clock)
        self._rounds = Rounds(
            log, shards=shards, clock=clock, chance=chance, crash_point=crash_point
        )
        self._waiting = Waiting(log, shards)
        self._erased = ErasedAlerts(log, shards)
        self._backlog: deque[str] = deque()
        self._is_beginning = False
        self._tasks = Tasks()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._patient = True
        self._said = 0.0

    def notify(self, alert_ids: Sequence[str]) -> None:
        """These claims are in the log now. Safe from any thread, at any time."""
        self._waiting.tell(alert_ids)
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # closed meanwhile: the next start finds the claims
                loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver what waits and what comes, until ``stop`` is set."""
        try:
            await self._follow(stop)
            await self._tasks.all(seconds=FINISH_SECONDS)
        finally:
            await self._tasks.cancel()

    async def once(self, until: asyncio.Event | None = None) -> None:
        """Give each delivery one attempt that is due, or is claimed before ``until`` is set."""
        self._patient = False
        self._waiting.hold()
        try:
            if until is not None:
                await self._follow(until)
            await self._look()
            self._start()
            while self._tasks:
                await self._tasks.one()
                self._start()
        finally:
            self._patient = True
            self._waiting.release()

    async def retry(self, alert_id: str) -> None:
        """Give an alert that was not delivered an attempt now, whatever its receiver's state.

        Raises:
            NotFoundError: there is no such alert.
            UsageError: it was delivered, or is on its way.
        """
        record = await asyncio.to_thread(self._log.table(TOPIC).get, ALERT + alert_id)
        if record is None:
            raise NotFoundError(f"there is no alert {alert_id}", hint="See: wirewatch alerts list")
        alert = decode(Alert, record.value or b"")
        refuse_erased(alert)
        if alert.state == "sent":
            raise UsageError(f"alert {alert_id} was delivered already", code="delivered")
        if alert_id in self._rounds:
            raise UsageError(f"alert {alert_id} is being delivered just now", code="under-way")
        begun = await self._rounds.begin([alert_id], again=True)
        targets = begun.targets.get(alert_id, ())
        await asyncio.gather(*(self._attempt(one, alert_id, forced=True) for one in targets))

    async def forget_erased(self, *, again: bool = False) -> None:
        """Empty the alerts of articles that were erased; ``again``: look through all of them.

        Raises:
            UnavailableError: the log cannot be read now; the next call does it.
        """
        if again:
            self._erased.again()
        found = await asyncio.to_thread(self._erased.read)
        try:
            await self._rounds.erase(found, self._erased.articles)
        except UnavailableError:
            self._erased.again()
            raise

    async def send_test(self, subscription_id: str) -> list[dict[str, Any]]:
        """Send a test alert to every target of a subscription; one row each. Raises NotFoundError.

        A receiver that acknowledges it is in use again.
        """
        rows = []
        now = self._clock()
        for target, outcome in await tried(self._log, self._receivers, subscription_id, now=now):
            lane = await self._receivers.lane(target)
            if not outcome.error and self._receivers.learn(lane, outcome):
                await self._rounds.note(lane.endpoint)
                self._pump(lane)
            rows.append({"to": redacted(target), "status": outcome.status, "error": outcome.error})
        return rows

    async def close(self) -> None:
        """Stop what is under way; it is sent again at the next start, with the same id."""
        await self._tasks.cancel()
        await self._receivers.close()

    async def _follow(self, stop: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._woken.set())
        try:
            while not stop.is_set():
                self._woken.clear()
                await self._look()
                now = self._clock()
                self._start()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._pause_seconds(now))
        finally:
            self._loop = None
            stopping.cancel()

    async def _look(self) -> None:
        """Read what has come to wait."""
        try:
            await self.forget_erased()
            self._waiting.add(await asyncio.to_thread(self._waiting.read))
            if time.monotonic() - self._said > SAY_AGAIN_SECONDS:
                self._said = time.monotonic()
                await self._rounds.say_again()
        except UnavailableError as error:
            _events.warning("stage waits", stage="deliver", reason=error.sentence)

    def _start(self) -> None:
        """Begin the rounds that are due, and look at every lane whose rest may be over."""
        self._backlog += self._waiting.pop_due(self._clock())
        self._begin_more()
        for lane in self._receivers.lanes():
            self._pump(lane)

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
            self._again_later(alert_ids, error)
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
        for lane, alert_id in lanes:
            lane.waiting.append(alert_id)
            self._pump(lane)

    def _again_later(self, alert_ids: Sequence[str], error: Exception) -> None:
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

    def _pump(self, lane: Lane) -> None:
        while (alert_id := lane.next(now=self._clock(), patient=self._patient)) is not None:
            lane.running += 1
            self._tasks.start(self._turn(lane, alert_id))

    async def _turn(self, lane: Lane, alert_id: str) -> None:
        try:
            async with lane.host:
                await self._attempt(lane.endpoint.target, alert_id)
        except Exception as error:  # noqa: BLE001 - said there
            self._again_later([alert_id], error)
        finally:
            lane.running -= 1
        self._pump(lane)

    async def _attempt(self, target: str, alert_id: str, *, forced: bool = False) -> None:
        lane = await self._receivers.lane(target)
        if not self._rounds.wants(alert_id, target):  # let go meanwhile
            return
        try:
            if lane.endpoint.disabled and not forced:
                hint = "Once it works: wirewatch subscriptions test NAME, then alerts retry ID."
                outcome = Outcome(error=f"Not sent. {lane.endpoint.disabled} {hint}", final=True)
                is_changed = False
            else:
                delivery = await self._rounds.delivery(alert_id, target)
                outcome = await self._receivers.deliver(delivery)
                is_changed = self._receivers.learn(lane, outcome)
            over = await self._rounds.settle(
                alert_id, outcome, endpoint=lane.endpoint, is_changed=is_changed
            )
        except FencedError:  # whoever owns the shard now begins it anew, and that may be us again
            if alert_id in self._rounds:
                self._waiting.let_go(alert_id, self._rounds.abandon(alert_id))
            return
        if over is not None:
            report(over, outcome)
            self._waiting.settled(over)

    def _pause_seconds(self, now: datetime) -> float:
        """Until more is due: what was due by ``now`` is begun, or waits for a request under way."""
        times = [self._waiting.next_due(), *(lane.due() for lane in self._receivers.lanes())]
        waits = [(one - now).total_seconds() for one in times if one is not None and one > now]
        return min(max(0.01, min(waits, default=LOOK_SECONDS)), LOOK_SECONDS)
