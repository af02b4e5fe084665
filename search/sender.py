"""The loop that delivers: waiting alerts out of the log, to their receivers, outcomes back.

Claim stored, then sent, then outcome stored: each alert arrives at least once with one id, or is
listed as failed; without a crash exactly once (promise P2).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

import structlog

from ingest.connections import Connections
from ingest.errors import UnavailableError
from ingest.guard import Guard
from ingest.log import Log
from search.alert_settings import AlertSettings
from search.channels import Channels
from search.gathering import Gathering
from search.held import LONG_AGO
from search.mail.settings import MailSettings
from search.outcomes import Outcomes
from search.ownership import Ownership, Whole
from search.receivers import Receivers
from search.retries import Retries
from search.rewrites import Rewrites
from search.rounds import Rounds
from search.secrets import Vault
from search.tasks import Tasks
from search.trial import Trials
from search.turns import Turns
from search.waiting import Waiting

LOOK_SECONDS = 1.0
"""How often we look for shards that came to us."""

SAY_AGAIN_SECONDS = 5.0
"""How soon the late word of a shard's earlier owner is set right."""

FINISH_SECONDS = 5.0
"""What is under way at the end may finish; SIGTERM promises an end within ten seconds (F34)."""

_events = structlog.get_logger(__name__)


class Sender:
    """Delivers what waits. ``run`` or ``once``, ``retry`` and ``send_test`` share an event loop.

    Args:
        connections: Other look-ups or certificates than the system's.
        with_kafka: The log is in Kafka.
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
        mail: MailSettings | None = None,
        with_kafka: bool = False,
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
            log,
            connections=connections or Connections(guard, keep_alive=True),
            guard=guard,
            secrets=secrets,
            settings=settings,
            mail=mail,
            with_kafka=with_kafka,
            stdout=stdout,
            as_json=as_json,
        )
        self._receivers = Receivers(log, channels, settings=settings, clock=clock)
        self._outcomes = Outcomes(log, shards, clock=clock)
        self._rounds = Rounds(
            log,
            self._outcomes,
            shards=shards,
            clock=clock,
            chance=chance,
            crash_point=crash_point,
        )
        self._waiting = Waiting(log, shards)
        self._gathering = Gathering(
            log,
            self._outcomes,
            shards=shards,
            settings=settings,
            clock=clock,
            crash_point=crash_point,
        )
        self._held = self._gathering.held
        self._rewrites = Rewrites(
            log, self._outcomes, self._held, shards=shards, crash_point=crash_point
        )
        self._changes: deque[tuple[str, Collection[str]]] = deque()
        self._tasks = Tasks()
        self._turns = Turns(
            rounds=self._rounds,
            receivers=self._receivers,
            waiting=self._waiting,
            held=self._held,
            rewrites=self._rewrites,
            tasks=self._tasks,
            clock=clock,
        )
        self._retries = Retries(
            log, rounds=self._rounds, turns=self._turns, gathering=self._gathering
        )
        trials = Trials(log, self._receivers, self._turns, clock=clock)
        self.send_test, self.send_channel_test = trials.of_subscription, trials.of_channel
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._said = 0.0

    def notify(self, alert_ids: Sequence[str]) -> None:
        """These claims are in the log now. Safe from any thread, at any time."""
        self._waiting.tell(alert_ids)
        self._wake()

    def changed(self, subscription_id: str, muted: Collection[str]) -> None:
        """A subscription was edited, or stories are ``muted`` for it. Safe from any thread."""
        self._changes.append((subscription_id, muted))
        self._wake()

    def _wake(self) -> None:
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
        self._turns.is_patient = False
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
            self._turns.is_patient = True
            self._waiting.release()

    async def retry(self, alert_id: str) -> str:
        """Give an alert that was not delivered an attempt now, whatever its receiver's state.

        The id of what was tried: one that a digest brings, or failed to, is brought by that.

        Raises:
            NotFoundError: there is no such alert.
            UsageError: it was delivered, or is on its way.
        """
        return await self._retries.retry(alert_id)

    async def forget_erased(self, *, again: bool = False) -> None:
        """Empty the alerts of erased articles; see ``Rewrites.erase``."""
        for alert_id in await self._rewrites.erase(again=again):
            if alert_id in self._rounds:  # it begins anew with what is left of it
                self._rounds.abandon(alert_id)
                self._waiting.put_off(alert_id, self._clock())

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
            await self._take_in()
            if time.monotonic() - self._said > SAY_AGAIN_SECONDS:
                self._said = time.monotonic()
                await self._outcomes.say_again()
        except UnavailableError as error:
            _events.warning("stage waits", stage="deliver", reason=error.sentence)

    async def _take_in(self) -> None:
        found = await asyncio.to_thread(self._waiting.read)
        self._tasks.start(self._turns.mark(self._gathering.take_in(found)))
        self._waiting.add(found.due)
        while self._changes:
            name, muted = self._changes[0]
            if muted:  # before more of it goes
                await self._rewrites.mute(name, muted, under_way=self._rounds)
            self._held.look_again(name)
            self._changes.popleft()

    def _start(self) -> None:
        """Begin the rounds that are due, and look at every lane whose rest may be over."""
        now = self._clock()
        self._turns.begin(self._waiting.pop_due(now))
        look = self._gathering.next_look(now)
        if look is not None and look <= now and not self._gathering.is_busy:
            self._gathering.is_busy = True
            self._tasks.start(self._gather())
        self._turns.look_at_lanes()

    async def _gather(self) -> None:
        try:
            released = await self._gathering.release(together=self._turns.is_patient)
        finally:
            self._gathering.is_busy = False
        self._waiting.add([(LONG_AGO, one) for one in released])
        self._woken.set()

    def _pause_seconds(self, now: datetime) -> float:
        """Until more is due: what was due by ``now`` is begun, or waits for a request under way."""
        times = [
            self._waiting.next_due(),
            self._held.next_look(),
            *(lane.due() for lane in self._receivers.lanes()),
        ]
        waits = [(one - now).total_seconds() for one in times if one is not None and one > now]
        return min(max(0.01, min(waits, default=LOOK_SECONDS)), LOOK_SECONDS)
