"""A poll stage over real parts for tests: log, fetcher, sandbox and quarantine in one folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp.abc import AbstractResolver

from ingest.article import Sighting
from ingest.entry_store import EntryStore
from ingest.feed_store import FeedStore
from ingest.feeds import Feed, FeedState
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.log import Partition, topic_specs
from ingest.politeness import HostSlots
from ingest.poll import Polling, Sandboxes
from ingest.poller import Poller
from ingest.quarantine import Quarantine
from ingest.reading import answer
from ingest.settings import FetchSettings, NetSettings, PollSettings
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode


class InlineReader:
    """Reads feeds in this process: most tests need no sandbox, which starts in 0.3 s."""

    async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
        return answer(header, body)


class TestClock:
    """A wall clock that stands where the test puts it."""

    __test__ = False

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


async def until(happened: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait until ``happened``; TimeoutError after ``seconds``."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - what happens is out of our hands
            await asyncio.sleep(0.01)


class PollStage:
    """The poll stage over ``folder``; hosts ``allow`` may be polled."""

    def __init__(
        self,
        folder: Path,
        *allow: str,
        clock: Callable[[], datetime] | None = None,
        settings: PollSettings | None = None,
        fetch: FetchSettings | None = None,
        sandboxes: Sandboxes | None = None,
        resolver: AbstractResolver | None = None,
        chance: Callable[[], float] = lambda: 0.0,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.clock = clock or TestClock()
        self.log = SqliteLog(folder / "log.db")
        self.log.ensure_topics(topic_specs())
        guard = Guard(NetSettings(allow=allow))
        self.slots = HostSlots(guard=guard)
        self.fetcher = Fetcher(
            guard=guard, settings=fetch or FetchSettings(), slots=self.slots, resolver=resolver
        )
        self.quarantine = Quarantine(self.log, folder / "quarantine")
        self.feeds = FeedStore(self.log)
        settings = settings or PollSettings()
        self.polling = Polling(
            entries=EntryStore(self.log),
            fetcher=self.fetcher,
            slots=self.slots,
            sandboxes=sandboxes or InlineReader(),
            quarantine=self.quarantine,
            settings=settings,
            connections=asyncio.Semaphore(settings.connections),
            clock=self.clock,
            chance=chance,
            crash_point=crash_point,
        )
        self.poller = Poller(log=self.log, polling=self.polling, crash_point=crash_point)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.fetcher.close()
        self.log.close()

    def sightings(self) -> list[Sighting]:
        """Every sighting in the log, in order."""
        records = self.log.read(Partition("articles"), 0, max_records=100_000)
        return [decode(Sighting, record.value or b"") for record in records]

    def titles(self) -> list[str]:
        """The title of every sighting, in order."""
        return [sighting.article.title for sighting in self.sightings()]

    def state(self, feed: Feed) -> FeedState:
        """The state of ``feed`` as it is written."""
        record = self.log.table("feed-state").get(feed.id)
        assert record is not None
        return decode(FeedState, record.value or b"")
