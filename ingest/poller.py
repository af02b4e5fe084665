"""The loop of the poll stage: due feeds in, sightings out.

Waiting is by the monotonic clock alone. A wall clock that jumps ten years changes dates in
records, never when a feed is polled.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from ingest import outcomes
from ingest.errors import FeedError, StoreError, WirewatchError
from ingest.feeds import Feed, FeedState
from ingest.log import Log
from ingest.poll import Polled, Polling
from ingest.roster import Roster, monotonic_now
from ingest.state_writer import StateWriter

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
        generation: Written into states, so that a later owner outranks us.
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
        generation: int = 0,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.finished = 0
        self._polling = polling
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

    def refresh(self) -> None:
        """Read the feed list again: added feeds become due, removed ones are dropped."""
        for feed_id in self._roster.refresh():
            self._writer.forget(feed_id)
        self._wake.set()

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
        await self._finish()
        if self._fatal is not None:
            raise self._fatal
        self._writer.patient = False
        if not self.pause:
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
                polled = self._put_off(state, error)
            except Exception as error:  # noqa: BLE001 - quarantined; one feed stops no other
                polled = self._broken(feed, state, error)
            if feed_id in self._roster.feeds:
                written = await self._writer.store(feed, polled.state, polled.records)
                self._roster.states[feed_id] = written
        if polled.state.poll > state.poll:
            self._swept.add(feed_id)
        self.finished += 1
        _report(feed, polled)
        return dataclasses.replace(polled, records=())

    def _put_off(self, state: FeedState, error: WirewatchError) -> Polled:
        polling = self._polling
        after = outcomes.failed(
            state,
            at=polling.clock(),
            sentence=error.sentence,
            settings=polling.settings,
            chance=polling.chance(),
        )
        return Polled(state=after, failed=True)

    def _broken(self, feed: Feed, state: FeedState, error: Exception) -> Polled:
        """A fault of our own: this feed backs off and is listed, the others go on."""
        known = error if isinstance(error, WirewatchError) else None
        problem = known or FeedError(
            f"{type(error).__name__}: {error}",
            sentence="Polling this feed failed inside Wirewatch.",
            code="internal",
        )
        _events.error("poll broke", feed=feed.id, url=feed.url, exc_info=error)
        why, body = f"{problem.sentence} ({problem})", str(error).encode(errors="replace")
        now = self._polling.clock()
        record = self._polling.quarantine.put(
            "poll", why=why, code=problem.code, key=feed.id, body=body, now=now
        )
        records = (record,) if record else ()
        return dataclasses.replace(self._put_off(state, problem), records=records)


def _report(feed: Feed, polled: Polled) -> None:
    state = polled.state
    due = state.next_poll
    if polled.failed:
        _events.warning(
            "feed refused", feed=feed.id, url=feed.url, reason=state.sentence, next_try=due
        )
        return
    _events.info(
        "feed polled",
        feed=feed.id,
        url=feed.url,
        entries=polled.entries,
        new=polled.sightings,
        limited=polled.limited,
        next_poll=due,
    )
