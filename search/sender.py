"""The loop that delivers: waiting alerts out of the log, to their receivers, outcomes back.

Claim stored, then sent, then outcome stored: each alert arrives at least once with one id, or is
listed as failed; without a crash exactly once (promise P2).
"""

from __future__ import annotations

import asyncio
import random
import secrets as random_secrets
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import structlog

from ingest.connections import Connections
from ingest.errors import NotFoundError, UnavailableError, UsageError
from ingest.guard import Guard
from ingest.log import Log
from ingest.wire import decode
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, TOPIC, Alert
from search.channels import Channels, Delivery
from search.deliveries import Outcome, health
from search.lanes import Lane, Lanes
from search.payload import payload_of_test
from search.rounds import Rounds, report
from search.secrets import Secrets
from search.subscriptions import Subscription, redacted
from search.waiting import Waiting

LOOK_SECONDS = 5.0
"""The log is asked for waiting alerts this often, should a wake-up have been missed."""

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
        secrets: Secrets,
        connections: Connections | None = None,
        stdout: TextIO | None = None,
        as_json: bool = False,
        crash_point: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._log = log
        self._settings = settings
        self._clock = clock
        self._channels = Channels(
            connections=connections or Connections(guard, keep_alive=True),
            secrets=secrets,
            settings=settings,
            stdout=stdout,
            as_json=as_json,
        )
        self._rounds = Rounds(log, clock=clock, chance=chance, crash_point=crash_point)
        self._lanes = Lanes(log, in_flight_per_host=settings.in_flight_per_host)
        self._waiting = Waiting(log)
        self._backlog: deque[str] = deque()
        self._beginning = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._patient = True

    def notify(self) -> None:
        """There are new claims in the log. Safe from any thread, at any time."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # closed meanwhile: the next start finds the claims
                loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver what waits and what comes, until ``stop`` is set."""
        try:
            await self._follow(stop)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
        finally:
            await self._cancel()

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
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
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
        if decode(Alert, record.value or b"").state == "sent":
            raise UsageError(f"alert {alert_id} was delivered already", code="delivered")
        if alert_id in self._rounds:
            raise UsageError(f"alert {alert_id} is being delivered just now", code="under-way")
        targets = await self._rounds.begin(alert_id, again=True)
        await asyncio.gather(*(self._attempt(one, alert_id, forced=True) for one in targets))

    async def send_test(self, subscription_id: str) -> list[dict[str, Any]]:
        """Send a test alert to every target of a subscription; one row each. Raises NotFoundError.

        A receiver that acknowledges it is in use again.
        """
        record = await asyncio.to_thread(self._log.table("subscriptions").get, subscription_id)
        if record is None:
            raise NotFoundError(
                f"there is no subscription {subscription_id}",
                hint="See: wirewatch subscriptions list",
            )
        subscription = decode(Subscription, record.value or b"")
        made_id = f"test-{random_secrets.token_urlsafe(12)}"
        body = payload_of_test(subscription, alert_id=made_id, now=self._clock())
        deliveries = (
            Delivery(alert_id=made_id, subscription=subscription.id, target=one, payload=body)
            for one in subscription.to
        )
        return list(await asyncio.gather(*map(self._tested, deliveries)))

    async def close(self) -> None:
        """Stop what is under way; it is sent again at the next start, with the same id."""
        await self._cancel()
        await self._channels.close()

    async def _tested(self, delivery: Delivery) -> dict[str, Any]:
        outcome = await self._delivered(delivery)
        lane = self._lanes.get(delivery.target)
        if not outcome.error and self._learn(lane, outcome):
            await self._rounds.note(lane.endpoint)
            self._pump(lane)
        return {"to": redacted(delivery.target), "status": outcome.status, "error": outcome.error}

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
            self._waiting.add(await asyncio.to_thread(self._waiting.read))
        except UnavailableError as error:
            _events.warning("stage waits", stage="deliver", reason=error.sentence)

    def _start(self) -> None:
        """Begin the rounds that are due, and look at every lane whose rest may be over."""
        self._backlog += self._waiting.pop_due(self._clock())
        self._begin_more()
        for lane in self._lanes.all():
            self._pump(lane)

    def _begin_more(self) -> None:
        while self._backlog and self._beginning < MAX_BEGINNING:
            self._beginning += 1
            self._spawn(self._begin(self._backlog.popleft()))

    async def _begin(self, alert_id: str) -> None:
        try:
            targets = await self._rounds.begin(alert_id)
        except UnavailableError as error:
            _events.warning("stage waits", stage="deliver", reason=error.sentence)
            self._waiting.put_off(alert_id, self._clock() + timedelta(seconds=LOOK_SECONDS))
            return
        finally:
            self._beginning -= 1
        self._begin_more()
        if not targets and alert_id not in self._rounds:
            self._waiting.done(alert_id)
        for target in targets:
            lane = self._lanes.get(target)
            lane.waiting.append(alert_id)
            self._pump(lane)

    def _pump(self, lane: Lane) -> None:
        while (alert_id := lane.next(now=self._clock(), patient=self._patient)) is not None:
            lane.running += 1
            self._spawn(self._turn(lane, alert_id))

    async def _turn(self, lane: Lane, alert_id: str) -> None:
        try:
            async with lane.host:
                await self._attempt(lane.endpoint.target, alert_id)
        finally:
            lane.running -= 1
        self._pump(lane)

    async def _attempt(self, target: str, alert_id: str, *, forced: bool = False) -> None:
        lane = self._lanes.get(target)
        if lane.endpoint.disabled and not forced:
            hint = "Once it works: wirewatch subscriptions test NAME, then alerts retry ID."
            outcome = Outcome(error=f"Not sent. {lane.endpoint.disabled} {hint}", final=True)
            is_changed = False
        else:
            alert = self._rounds.alert(alert_id)
            delivery = Delivery(
                alert_id=alert_id,
                subscription=alert.subscription,
                target=target,
                payload=alert.payload,
            )
            outcome = await self._delivered(delivery)
            is_changed = self._learn(lane, outcome)
        over = await self._rounds.settle(
            alert_id, outcome, endpoint=lane.endpoint, is_changed=is_changed
        )
        if over is not None:
            report(over, outcome)
            self._waiting.settled(over)

    async def _delivered(self, delivery: Delivery) -> Outcome:
        try:
            return await self._channels.deliver(delivery)
        except Exception as error:  # noqa: BLE001 - listed as failed, others go on (P2, P4)
            _events.error("delivery broke", alert=delivery.alert_id, exc_info=error)
            return Outcome(error=f"Delivery failed unexpectedly ({type(error).__name__}).")

    def _learn(self, lane: Lane, outcome: Outcome) -> bool:
        """Note how the receiver does; whether that changed."""
        now, before = self._clock(), lane.endpoint
        hours = self._settings.disable_after_hours
        after = health(before, outcome, now=now, disable_after_hours=hours)
        if after.disabled and not before.disabled:
            _events.error("receiver disabled", to=redacted(before.target), reason=after.disabled)
        lane.learnt(after, now=now)
        return after is not before

    def _pause_seconds(self, now: datetime) -> float:
        """Until more is due: what was due by ``now`` is begun, or waits for a request under way."""
        times = [self._waiting.next_due(), *(lane.due() for lane in self._lanes.all())]
        waits = [(one - now).total_seconds() for one in times if one is not None and one > now]
        return min(max(0.01, min(waits, default=LOOK_SECONDS)), LOOK_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its claim is in the log and waits: the next start delivers it.
            _events.error("delivery broke", exc_info=error)

    async def _cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
