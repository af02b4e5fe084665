"""The poll stage of many machines: one of several pollers that share the feeds among them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from ingest.clock_offset import clock_offset_seconds, clock_sentence
from ingest.errors import MalformedRecordError, UnavailableError
from ingest.feed_store import traces
from ingest.feeds import Feed, shard_of
from ingest.log import Log, Record
from ingest.poll import Polling
from ingest.poller import Poller
from ingest.requests import Request, RequestReader
from ingest.shards import Shards
from ingest.state_writer import Written
from ingest.wire import decode

GROUP = "poll"

RETRY_SECONDS = 1.0
"""Between two tries to read the states of feeds that came to us, or to remove those that went."""

CLOCK_SECONDS = 60.0
"""Between two looks at how far our clock is from the log's."""

RECENT_SECONDS = 60.0
"""A wish made while its feed changed hands counts for so long."""

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollHealth:
    """How a poller is.

    Attributes:
        feeds: Feeds that are ours now.
        owned, partitions: Partitions of the feed list that are ours, and all there are.
        finished: Polls done since the start.
        overdue: Feeds that nobody began to poll for too long.
        pause: Why polling pauses, as a sentence; empty while it does not.
        clock_offset_seconds: Our clock minus the log's.
        clock: What is wrong with our clock, as a sentence; empty where nothing is.
    """

    feeds: int
    owned: int
    partitions: int
    finished: int
    overdue: int
    pause: str
    clock_offset_seconds: float
    clock: str


class PollStage:
    """Polls the feeds whose shards are ours, and takes over those of pollers that die.

    Args:
        lease_seconds: See ``Shards``.
        crash_point: See ``Poller``.
    """

    def __init__(
        self,
        log: Log,
        polling: Polling,
        *,
        lease_seconds: float = math.inf,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._polling = polling
        self._shards = Shards(log, self, group=GROUP, topic="feeds", lease_seconds=lease_seconds)
        self._partitions = log.partitions("feeds")
        self._poller = Poller(
            log=log,
            polling=polling,
            owns=self._shards.owns,
            generation=self._shards.generation,
            crash_point=crash_point,
        )
        polling.slots.share_of = self._share_of
        self._steps: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._erasing: set[asyncio.Task[None]] = set()
        self._recent: deque[tuple[float, Request]] = deque(maxlen=10_000)
        self._loop: asyncio.AbstractEventLoop  # of ``run``, which starts the threads
        self._offset_seconds = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Poll what is ours until ``stop`` is set.

        Raises:
            StoreError: the log is another one, or another process bears our name.
            NewerSchemaError: a feed or a request was written by a newer version.
        """
        self._loop = asyncio.get_running_loop()
        leave = threading.Event()
        with ThreadPoolExecutor(2, thread_name_prefix="poll-stage") as threads:
            polling = asyncio.ensure_future(self._poller.run(stop))
            others = [
                asyncio.ensure_future(self._loop.run_in_executor(threads, self._shards.run, leave)),
                asyncio.ensure_future(self._loop.run_in_executor(threads, self._hear, leave)),
                asyncio.ensure_future(self._follow()),
                asyncio.ensure_future(self._watch_clock()),
            ]
            try:
                await asyncio.wait([polling, *others], return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.set()
                # The group is left last: what polls under way still write is ours until then.
                await asyncio.wait([polling])
                leave.set()
                for task in others[2:]:
                    task.cancel()
                await asyncio.wait(others)
        for task in (polling, *others):
            if not task.cancelled() and (error := task.exception()):
                raise error

    def health(self) -> PollHealth:
        """How this poller is; from any thread."""
        return PollHealth(
            feeds=len(self._poller.feeds()),
            owned=len(self._shards.owned()),
            partitions=self._partitions,
            finished=self._poller.finished,
            overdue=self._poller.overdue(),
            pause=self._shards.pause or self._poller.pause,
            clock_offset_seconds=self._offset_seconds,
            clock=clock_sentence(self._offset_seconds),
        )

    def feeds(self) -> list[Feed]:
        """The feeds that are ours now."""
        return self._poller.feeds()

    def gained(self, partition: int, records: Sequence[Record]) -> None:
        """See ``ingest.shards.Owner``."""
        self._put(partial(self._gain, partition, records))

    def changed(self, records: Sequence[Record]) -> None:
        """See ``ingest.shards.Owner``."""
        self._put(partial(self._change, records))

    def lost(self, partitions: frozenset[int]) -> None:
        """See ``ingest.shards.Owner``."""
        self._put(partial(self._lose, partitions))

    def _put(self, step: Callable[[], Awaitable[None]]) -> None:
        self._loop.call_soon_threadsafe(self._steps.put_nowait, step)

    async def _follow(self) -> None:
        """Do what the group and the list ask for, in its order."""
        while True:
            await (await self._steps.get())()

    async def _gain(self, partition: int, records: Sequence[Record]) -> None:
        feeds = _feeds(records)
        await self._take(partition, feeds)
        now = self._loop.time()
        recent = {request.target for at, request in self._recent if now - at < RECENT_SECONDS}
        for feed in feeds:
            if feed.id in recent:
                self._poller.poll_now(feed.id)

    async def _change(self, records: Sequence[Record]) -> None:
        known = {feed.id: feed for feed in self._poller.feeds()}
        for record in records:
            if record.value is not None:
                await self._take(record.partition.number, _feeds([record]))
            elif record.key in known:
                self._poller.remove(record.key)
                task = asyncio.create_task(self._erase(known[record.key]))
                self._erasing.add(task)
                task.add_done_callback(self._erasing.discard)

    async def _lose(self, partitions: frozenset[int]) -> None:
        gone = (f.id for f in self._poller.feeds() if f.shard % self._partitions in partitions)
        self._poller.drop(list(gone))

    async def _take(self, partition: int, feeds: Sequence[Feed]) -> None:
        while self._shards.owns(partition):
            try:
                await self._poller.take(feeds)
            except UnavailableError as error:
                _events.warning("feeds wait for their states", reason=error.sentence)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _erase(self, feed: Feed) -> None:
        """Remove what a poll under way wrote of a feed after it was taken off the list."""
        await self._poller.ended(feed.id)
        while self._shards.owns(feed.shard):
            try:
                found = await asyncio.to_thread(traces, self._log, feed)
                if found and feed.id not in {one.id for one in self._poller.feeds()}:
                    await asyncio.wrap_future(self._log.submit(found))
            except UnavailableError as error:
                _events.warning("traces of a feed wait", feed=feed.id, reason=error.sentence)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _hear(self, leave: threading.Event) -> None:
        def tell(wish: Request) -> None:
            self._loop.call_soon_threadsafe(self._wish, wish)

        RequestReader(self._log).hear({"poll": tell}, ended=leave)

    def _wish(self, request: Request) -> None:
        self._recent.append((self._loop.time(), request))
        self._poller.poll_now(request.target)

    async def _watch_clock(self) -> None:
        """Compare our clock with the time the log gave the last state we wrote."""
        seen: Written | None = None
        while True:
            newest = self._poller.newest
            if newest is not None and newest != seen:
                with contextlib.suppress(UnavailableError):  # compared at the next look
                    await self._compare(newest)
                    seen = newest
            await asyncio.sleep(CLOCK_SECONDS if seen else RETRY_SECONDS)

    async def _compare(self, written: Written) -> None:
        records = await asyncio.to_thread(
            self._log.read, written.partition, written.offset, max_records=1
        )
        if not records or records[0].offset != written.offset:
            return  # compacted: a newer one stands
        now, at = self._polling.clock(), self._loop.time()
        before = clock_sentence(self._offset_seconds)
        self._offset_seconds = clock_offset_seconds(
            now - timedelta(seconds=at - written.before),
            now - timedelta(seconds=at - written.after),
            appended=records[0].appended,
        )
        after = clock_sentence(self._offset_seconds)
        if after and not before:
            _events.warning("clock differs", reason=after, hint="Set the clock (NTP).")

    def _share_of(self, url: str) -> float:
        """Which part of a host's rate is ours: all where its feeds are, else our part of us all."""
        if self._shards.owns(shard_of(url)):
            return 1.0
        return max(self._shards.share(), 1 / self._partitions)


def _feeds(records: Sequence[Record]) -> list[Feed]:
    found = []
    for record in records:
        try:
            found.append(decode(Feed, record.value or b""))
        except MalformedRecordError as error:
            _events.error("feed record refused", feed=record.key, reason=error.sentence)
    return found
