"""All stages in one process over one data folder: the embedded shell.

Polling, deliveries and the API share the event loop; tagging, register, index and alerts are
loops in threads of their own. Whoever holds an ``Embedded`` holds the lock of its data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog

from deploy import upkeep
from deploy.assembly import CrashPoint, Parts, assemble, no_crash
from deploy.folder import DataFolder
from deploy.metrics import metrics_text
from deploy.settings import Settings
from deploy.totals import Totals, made
from ingest.errors import WirewatchError
from ingest.feed_check import CheckReport
from ingest.log import Partition
from search.api import Services
from search.views import all_alerts

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 600.0
"""Between runs of retention and compaction; they work in small steps beside everything else."""

DRAIN_SECONDS = 0.05
"""Between two looks at what still runs, each of which takes work from it."""

STORIES = Partition("stories")


class Embedded(Parts):
    """Everything over one data folder; ``opened`` makes it, ``working`` sets it going."""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        settings: Settings,
        folder: DataFolder,
        *,
        as_json: bool = False,
        crash_point: CrashPoint = no_crash,
    ) -> AsyncIterator[Embedded]:
        """Open log, index and stages; the caller holds the folder's lock.

        ``as_json`` prints alerts to ``stdout:`` as payloads.

        Raises:
            StoreError: a store cannot be opened, or is not the one the other names.
            FileError: a topic file cannot be read.
        """
        async with contextlib.AsyncExitStack() as stack:
            yield assemble(
                cls, settings, folder, stack=stack, as_json=as_json, crash_point=crash_point
            )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run tagging, register, index and alerts for the length of the block."""
        self.stages.start("tag", self.tagger)
        self.stages.start("group", self.registrar.loop)
        self.stages.start("index", self.indexer)
        self.stages.start("alert", self.alerts)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stages.stop)

    async def run(self, stop: asyncio.Event) -> None:
        """Poll, carry and deliver until ``stop`` is set or a stage fails."""
        try:
            async with self.working(), asyncio.TaskGroup() as tasks:
                ended = tasks.create_task(self._until(stop))
                tasks.create_task(self.poller.run(stop))
                tasks.create_task(self.sender.run(stop))
                tasks.create_task(self._sweep(stop))
                await ended
        except* WirewatchError as failures:
            raise failures.exceptions[0] from None
        if self.stages.failure is not None:
            raise self.stages.failure

    async def once(self) -> Totals:
        """Poll every feed once and carry everything to its end (RECORDS, "Totals")."""
        started = time.monotonic()
        alerts_before = self.alert_counts()
        async with self.working():
            drained = asyncio.Event()
            delivering = asyncio.create_task(self.sender.once(drained))
            try:
                polled = await self.poller.poll_all_once()
                await self._drained()
                drained.set()
                await delivering
            finally:
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)
            await self._drained()
        if self.stages.failure is not None:
            raise self.stages.failure
        return made(self, polled, before=alerts_before, seconds=time.monotonic() - started)

    async def _until(self, stop: asyncio.Event) -> None:
        """Wait for ``stop``; a failed stage sets it."""
        failing = asyncio.create_task(self.failed.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({failing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (failing, stopping):
            task.cancel()
        stop.set()

    async def _drained(self) -> None:
        """Wait until every stage, in the order of the pipeline, has nothing left to do."""
        while not self.stages.failure:
            if not await asyncio.to_thread(self._behind):
                return
            await asyncio.sleep(DRAIN_SECONDS)

    def _behind(self) -> bool:
        return any(behind() for behind in self.lags().values())

    def lags(self) -> dict[str, Callable[[], int]]:
        """By stage: how many records of its input are not durably done."""
        return {
            "tag": lambda: self._uncommitted("tag", "articles"),
            "group": lambda: self._uncommitted("register", "tagged"),
            "index": self.indexer.lag,
            "alert": self.alerts.lag,
        }

    def _uncommitted(self, group: str, topic: str) -> int:
        first, end = self.log.bounds(Partition(topic))
        return end - max(first, self.log.committed(group, Partition(topic)) or 0)

    async def _sweep(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.to_thread(self.log.sweep)
            await asyncio.to_thread(self.quarantine.clean, datetime.now(UTC))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await stop.wait()

    def changed(self, name: str) -> None:
        """Tell the running stages that a list was written."""
        if name == "feeds" and self.stages.running:
            # Routes work in threads; the poller belongs to the loop.
            self.loop.call_soon_threadsafe(self.poller.refresh)

    def services(self) -> Services:
        """What the API works with."""
        return Services(
            log=self.log,
            feeds=self.feeds,
            subscriptions=self.subscriptions,
            quarantine=self.quarantine,
            topics=self.topics,
            index=lambda: self.index,
            changed=self.changed,
            retry_alert=self.sender.retry,
            send_test=self.sender.send_test,
            ready=self.missing,
            metrics=lambda: metrics_text(self),
        )

    def missing(self) -> str:
        """The sentence of what does not work now; empty when all does."""
        if self.stages.failure is not None:
            return self.stages.failure.sentence
        return self.poller.pause

    async def check_feed(self, *, url: str, file: Path | None) -> CheckReport:
        """What a poll of a URL or a file would do."""
        return await upkeep.checked(self.polling, url=url, file=file)

    def replay(self, stage: str, *, since: datetime) -> Iterator[tuple[int, int]]:
        """Run a stage again from ``since`` on; never alerts anybody."""
        if stage == "index":
            start, end = self.log.offset_at(STORIES, since), self.log.bounds(STORIES)[1]
            self.indexer.rewind(start)
            while not self.stages.running and (self.indexer.step(0) or self.indexer.lag()):
                yield end - start - self.indexer.lag(), end - start
            yield end - start, end - start
            return
        yield from upkeep.replayed(self.log, "tag" if stage == "tag" else "group", since=since)

    async def retry_quarantined(self, row_id: str) -> str:
        """Process a row again: a feed is polled at once, a record goes through its stage."""
        row = self.quarantine.get(row_id)
        if row.stage != "poll":
            return await asyncio.to_thread(upkeep.retried, self.log, self.quarantine, row_id)
        if not self.stages.running:
            raise upkeep.not_running(f"Feed {row.key} cannot be polled now.")
        await asyncio.to_thread(self.quarantine.mark_retried, row_id)
        self.poller.poll_now(row.key)
        return f"Feed {row.key} is polled again."

    def alert_counts(self) -> Counter[str]:
        """How many alerts are in each state."""
        return Counter(str(one.state) for one in all_alerts(self.log))
