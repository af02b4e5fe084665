"""The loop of the poll stage: due feeds in, sightings out.

Waiting is by the monotonic clock alone. A wall clock that jumps ten years changes dates in
records, never when a feed is polled.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from ingest.errors import StoreError
from ingest.failed_polls import broken, put_off
from ingest.feeds import Feed, FeedState
from ingest.log import Log
from ingest.poll import Polled, Polling
from ingest.poll_report import report
from ingest.roster import Roster, monotonic_now
from ingest.state_writer import StateWriter, Written

LOOK_SECONDS = 30.0
"""The loop looks around at least this often, whatever it computed."""

GRACE_SECONDS = 5.0
"""Polls under way may finish so long after a stop: the process ends within ten (fault F34)."""

_events = structlog.get_logger()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PollTotals:
    """What polling all feeds once gave (RECORDS, "Totals")."""

    feeds: int = 0
    failed: int = 0
    entries_seen: int = 0
    unchanged: int = 0
    sightings: int = 0


class Poller:
    """Polls the feeds of the log, each in its own time.

    Args:
        owns: Which shards are ours (ARCHITECTURE section 3).
        generation: Of ours of a shard, negative where it is not ours: written into states, so that
            a later owner outranks us. None where we are the only owner for ever.
        crash_point: Called with ``K2`` before what a poll found is written.

    Attributes:
        finished: Polls done since the start.
    """

    def __init__(
        self,
        *,
        log: Log,
        polling: Polling,
        owns: Callable[[int], bool] = lambda _: True,
        generation: Callable[[int], int] | None = None,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.finished = 0
        self._polling = polling
        self._owns = owns
        self._is_alone = generation is None
        self._roster = Roster(
            log,
            slots=polling.slots,
            settings=polling.settings,
            clock=polling.clock,
            owns=owns,
        )
        self._writer = StateWriter(log, generation=generation, crash_point=crash_point)
        self._swept: set[str] = set()
        self._again: set[str] = set()
        self._tasks: dict[str, asyncio.Task[Polled]] = {}
        self._wake = asyncio.Event()
        self._fatal: BaseException | None = None
        self._writer.resumed = self._wake.set

    @property
    def pause(self) -> str:
        """Why polling pauses, as a sentence; empty while it does not."""
        return self._writer.pause

    @property
    def newest(self) -> Written | None:
        """The last state that was written, to be read back by who checks the clock."""
        return self._writer.newest

    def refresh(self) -> None:
        """Read the feed list again: added feeds become due, removed ones are dropped.

        For the one owner of all; others are told by ``take`` and ``drop``.
        """
        for feed_id in self._roster.refresh():
            self._writer.forget(feed_id)
        self._wake.set()

    async def take(self, feeds: Sequence[Feed]) -> None:
        """Feeds that are ours from now on, or changed; each goes on where its state stands.

        Raises:
            UnavailableError: the states cannot be read; nothing was taken.
        """
        stored = await asyncio.to_thread(self._roster.stored, feeds)
        self._roster.take((feed for feed in feeds if self._owns(feed.shard)), stored)
        self._wake.set()

    def drop(self, feed_ids: Iterable[str]) -> None:
        """Feeds that are no longer ours: polls under way are abandoned and write nothing more."""
        for feed_id in feed_ids:
            self._forget(feed_id)
            if feed_id in self._tasks:
                self._tasks[feed_id].cancel()

    def remove(self, feed_id: str) -> None:
        """A feed that is off the list: a poll under way ends, with nothing written."""
        self._forget(feed_id)

    async def ended(self, feed_id: str) -> None:
        """Wait until no poll of the feed is under way."""
        if task := self._tasks.get(feed_id):
            await asyncio.wait([task])

    def feeds(self) -> list[Feed]:
        """Our feeds."""
        return list(self._roster.feeds.values())

    def overdue(self) -> int:
        """Feeds that were due long before now and whose polls were not begun; from any thread."""
        # The event loop's clock, which a thread without a loop cannot ask for.
        return 0 if self.pause else self._roster.due.late(time.monotonic() - LOOK_SECONDS)

    def poll_now(self, feed_id: str) -> None:
        """Poll a feed at once, also one that is gone; its host's wishes still hold."""
        if feed_id in self._roster.feeds:
            self._roster.due.put(feed_id, monotonic_now())
            self._wake.set()

    def states(self) -> list[FeedState]:
        """The states of our feeds, as fresh as they are."""
        return list(self._roster.states.values())

    async def poll_all_once(self) -> PollTotals:
        """Poll every feed now, whatever its schedule, except those that are gone for good.

        Raises:
            StoreError: the log takes nothing; the pipeline cannot go on.
        """
        self.refresh()
        gone = {key for key, state in self._roster.states.items() if state.gone_since is not None}
        tasks = [
            asyncio.create_task(self._poll(key)) for key in self._roster.feeds if key not in gone
        ]
        try:
            polled = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._writer.flush()
        return PollTotals(
            feeds=len(self._roster.feeds),
            failed=sum(one.failed for one in polled) + len(gone),
            entries_seen=sum(one.entries for one in polled),
            unchanged=sum(one.unchanged for one in polled),
            sightings=sum(one.sightings for one in polled),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until ``stop`` is set; polls under way are then finished, 5 s at most.

        A full or unreachable log pauses polling (see ``pause``) until it takes records again.

        Raises:
            StoreError: the log is another one, or no longer ours.
        """
        self._writer.patient = True
        if self._is_alone:
            self.refresh()
        async with self._stopper(stop):
            while not stop.is_set() and self._fatal is None:
                self._wake.clear()
                wait = self._start_due()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        paused = self.pause
        await self._finish()
        if self._fatal is not None:
            raise self._fatal
        self._writer.patient = False
        if not paused:
            await self._writer.flush()

    @asynccontextmanager
    async def _stopper(self, stop: asyncio.Event) -> AsyncIterator[None]:
        async def wake() -> None:
            await stop.wait()
            self._wake.set()

        watcher = asyncio.create_task(wake())
        try:
            yield
        finally:
            watcher.cancel()

    async def _finish(self) -> None:
        tasks = list(self._tasks.values())
        if not tasks:
            return
        seconds = 0.0 if self.pause or self._fatal else GRACE_SECONDS
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _start_due(self) -> float:
        """Start what is due; how long nothing else will be."""
        if self.pause:
            return LOOK_SECONDS
        for feed_id in self._roster.due.take(monotonic_now()):
            self._start(feed_id)
        return self._roster.due.wait(monotonic_now(), longest=LOOK_SECONDS)

    def _start(self, feed_id: str) -> None:
        if feed_id in self._tasks:
            # Asked for while a poll is under way, which may have fetched before the news.
            self._again.add(feed_id)
            return
        task = asyncio.create_task(self._poll(feed_id))
        self._tasks[feed_id] = task
        task.add_done_callback(lambda done: self._done(feed_id, done))

    def _done(self, feed_id: str, task: asyncio.Task[Polled]) -> None:
        del self._tasks[feed_id]
        if not task.cancelled() and task.exception() is not None:
            self._fatal = task.exception()
            self._wake.set()
        elif feed_id in self._roster.feeds and feed_id not in self._roster.due:
            self._plan(feed_id)
            self._wake.set()

    def _plan(self, feed_id: str) -> None:
        if feed_id in self._again:
            self._again.remove(feed_id)
            self._roster.due.put(feed_id, monotonic_now())
        else:
            self._roster.plan(feed_id)

    async def _poll(self, feed_id: str) -> Polled:
        feed, state = self._roster.feeds[feed_id], self._roster.states[feed_id]
        sweep = feed_id not in self._swept
        async with AsyncExitStack() as kept:
            try:
                polled = await self._polling.poll(feed, state, kept=kept, sweep=sweep)
            except StoreError as error:
                if not (self._writer.patient and error.retry):
                    raise
                polled = put_off(self._polling, state, error)
            except Exception as error:  # noqa: BLE001 - quarantined; one feed stops no other
                polled = broken(self._polling, feed, state, error)
            if feed_id in self._roster.feeds:
                written = await self._writer.store(feed, polled.state, polled.records)
                if written is None:
                    self._forget(feed_id)
                elif feed_id in self._roster.feeds:
                    self._roster.states[feed_id] = written
        if polled.state.poll > state.poll:
            self._swept.add(feed_id)
        self.finished += 1
        report(feed, polled)
        return dataclasses.replace(polled, records=())

    def _forget(self, feed_id: str) -> None:
        self._roster.drop([feed_id])
        self._writer.forget(feed_id)
        self._swept.discard(feed_id)  # another owner's unfinished polls are swept once, too
        self._again.discard(feed_id)
