"""All stages in one process over one data folder: the embedded shell.

Polling, deliveries and the API share the event loop; tagging, register, index and alerts are
loops in threads of their own. Whoever holds an ``Embedded`` holds the lock of its data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from deploy import upkeep
from deploy.assembly import CrashPoint, Parts, folder_of, no_crash, write_topics
from deploy.erasing import Eraser
from deploy.folder import DataFolder
from deploy.restore import finish_restoring
from deploy.settings import Settings
from deploy.shell import Shell
from deploy.stages import Stages
from deploy.topic_files import definitions
from deploy.totals import Totals, made
from ingest.errors import WirewatchError
from ingest.poller import Poller
from processors.tagging_process import TaggingProcess
from processors.topic import Topic
from processors.worker import Counts, Tagger
from search.alerts import AlertOwner
from search.replays import Replays
from search.watchfulness import Watchfulness

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 600.0
"""Between runs of retention and compaction; they work in small steps beside everything else."""

DRAIN_SECONDS = 0.05
"""Between two looks at what still runs, each of which takes work from it."""


class Embedded(Shell):
    """Everything over one data folder; ``opened`` makes it, ``working`` sets it going."""

    def __init__(self, parts: Parts, *, topics: Sequence[Topic]) -> None:
        super().__init__(parts, topics=topics)
        tagging = TaggingProcess(parts.settings.parse)
        parts.stack.callback(tagging.close)
        self.poller = Poller(log=self.log, polling=self.polling, crash_point=parts.crash_point)
        self.tagger = Tagger(
            self.log,
            quarantine=self.quarantine,
            process=tagging,
            crash_point=parts.crash_point,
        )
        self.registrar = parts.registrar
        self.alerts = AlertOwner(
            self.log,
            settings=parts.alert_settings,
            quarantine=self.quarantine,
            wake=self.sender.notify,
            changed=self.sender.changed,
            crash_point=parts.crash_point,
        )
        self.watchfulness = Watchfulness(
            self.log,
            feeds=self.feeds,
            index=lambda: self.index,
            settings=parts.alert_settings,
            wake=self.sender.notify,
        )
        self.eraser = Eraser(
            self.erasing,
            index=self.index,
            indexer=self.indexer,
            registrar=self.registrar,
            sender=self.sender,
        )
        self.replays = Replays(self.sender.retry)
        self.failed = asyncio.Event()
        self.stages = Stages(on_failure=partial(self.loop.call_soon_threadsafe, self.failed.set))

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
        finish_restoring(folder)
        async with contextlib.AsyncExitStack() as stack:
            parts = Parts(settings, folder, stack, as_json=as_json, crash_point=crash_point)
            topics = definitions(folder_of(settings.topics.folder))
            write_topics(parts.log, topics)
            yield cls(parts, topics=[one.topic for one in topics])

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
                self.stages.start("watch", self.watchfulness)
                ended = tasks.create_task(self._until(stop))
                tasks.create_task(self.poller.run(stop))
                tasks.create_task(self.sender.run(stop))
                tasks.create_task(self._sweep(stop))
                tasks.create_task(self.eraser.run(stop))
                await ended
        except* WirewatchError as failures:
            raise failures.exceptions[0] from None
        if self.stages.failure is not None:
            raise self.stages.failure

    async def once(self) -> Totals:
        """Poll every feed once and carry everything to its end (RECORDS, "Totals")."""
        started = time.monotonic()
        alerts_before = self.alert_counts()
        self.alerts.hurry(on=True)
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
        self.alerts.hurry(on=False)
        if self.stages.failure is not None:
            raise self.stages.failure
        await self.eraser.at_rest()
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

    @property
    def counts(self) -> Counts:
        """What the register decided since the start."""
        return self.registrar.counts

    def alerts_behind(self) -> int:
        """Records that the alert stage has not handled durably."""
        return self.alerts.lag()

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

    async def retry_alert(self, alert_id: str) -> str:
        """Give an alert that was not delivered an attempt now; the id of what was tried."""
        return await self.sender.retry(alert_id)

    async def retry_alerts(self, alert_ids: Sequence[str]) -> None:
        """Give alerts an attempt each; where nobody runs it is waited for."""
        if self.stages.running:
            self.replays.start(alert_ids)
        else:
            await self.replays.all(alert_ids)

    async def send_test(self, subscription_id: str) -> list[dict[str, Any]]:
        """Send a test alert; a row a target."""
        return await self.sender.send_test(subscription_id)

    async def mute(self, subscription_id: str, story_id: str) -> None:
        """Have a subscription hear no more of a story."""
        if not self.stages.running:
            raise upkeep.not_running("Stories cannot be muted now.")
        self.alerts.mute(subscription_id, story_id)

    async def unmute(self, subscription_id: str, story_id: str) -> None:
        """Have a subscription hear of a story again."""
        if not self.stages.running:
            raise upkeep.not_running("Stories cannot be muted now.")
        self.alerts.unmute(subscription_id, story_id)

    async def poll_again(self, feed_id: str) -> str:
        """Poll a feed at once; the sentence that says so."""
        if not self.stages.running:
            raise upkeep.not_running(f"Feed {feed_id} cannot be polled now.")
        self.poller.poll_now(feed_id)
        return f"Feed {feed_id} is polled again."

    async def carry_out_erasures(self) -> None:
        """Have erasures carried out: beside the stages, or at once where none runs."""
        if self.stages.running:
            self.eraser.wake()
        else:
            await self.eraser.at_rest()

    def missing(self) -> str:
        """The sentence of what does not work now; empty when all does."""
        if self.stages.failure is not None:
            return self.stages.failure.sentence
        return self.poller.pause
