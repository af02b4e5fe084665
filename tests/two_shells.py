"""The same job carried by either shell: in one process on files, in many on real servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx

from deploy.assembly import specs
from deploy.distributed import Distributed
from deploy.embedded import Embedded
from deploy.folder import DataFolder
from deploy.servers.ports import free_port
from deploy.settings import Settings, load
from deploy.setup import set_up
from deploy.shell import Shell
from ingest.feeds import FeedState
from ingest.log import Log, NewRecord, Partition, Record
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from search.subscriptions import Subscription
from search.views import all_alerts
from tests.alert_book import ONE_BY_ONE
from tests.deployment import answering, assert_ended
from tests.real_feeds import Sites
from tests.running import LOOK_SECONDS, START_SECONDS, Place, Running

STAGES = ("poll", "poll", "tag", "tag", "group", "group", "index", "index", "alert", "alert")
"""Two of each; of the register one works and the other stands by."""

GROUPS = ("poll", "tag", "register", "index", "alert")
HALF = timedelta(microseconds=500)
"""A log counts whole milliseconds and drops the rest, of a float: so no rounding loses one."""

PATIENCE_SECONDS = 60.0
"""With servers on a busy machine; a search of ours is not asked again."""

GATHER_SECONDS = 240.0
"""Until ten processes answer and share their work: 20 s on two idle cores."""

DRAIN_SECONDS = 0.2
"""Between two looks at the lags, each of which takes work from the servers."""

SAID_SECONDS = 20.0
"""By when each process but the register that stands by has said that it did something."""

FOR_EVER = 1_000_000
"""Hours; or nothing of what lies in these files, which are years old, would alert anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What either shell is to do.

    Attributes:
        seconds: What it may take, at most.
    """

    sites: Sites
    subscriptions: tuple[Subscription, ...]
    seconds: float

    def settings(self) -> dict[str, object]:
        return {
            "net.allow": ",".join(self.sites.hosts),
            "alerts.first_poll_hours": FOR_EVER,
            **ONE_BY_ONE,
        }

    def wants(self, log: Log, folder: Path) -> list[NewRecord]:
        """The subscriptions, whose alerts go to a file in ``folder``."""
        parts = log.partitions("subscriptions")
        return [
            NewRecord(
                topic="subscriptions",
                key=one.id,
                value=encode(replace(one, to=(f"file:{told(folder)}",))),
                partition=one.shard % parts,
            )
            for one in self.subscriptions
        ]


@dataclass(slots=True)
class Work:
    """How it went: records that each process handled, and the seconds until all was done."""

    seconds: float = 0.0
    records: dict[str, list[int]] = field(default_factory=dict)


def told(folder: Path) -> Path:
    """Where the alerts of a shell in ``folder`` go."""
    return folder / "told.jsonl"


@asynccontextmanager
async def on_one_machine(job: Job, folder: Path) -> AsyncIterator[tuple[Shell, Work]]:
    """A shell over what ``wirewatch run --once`` has made of the feeds."""
    place = Place(folder=folder, settings=job.settings())
    with _filled(place) as log:
        log.append(job.wants(log, folder))
    (folder / "feeds.txt").write_text("\n".join(job.sites.urls))
    started = time.monotonic()
    run = Running(place, "run", "--once", "--json", "--no-web", "--feeds", f"{folder}/feeds.txt")
    try:
        assert await run.ended(seconds=job.seconds) == 0, run.said()
    finally:
        run.kill()
    work = Work(seconds=time.monotonic() - started)
    async with _embedded(place) as shell:
        yield shell, work


@asynccontextmanager
async def replayed(job: Job, folder: Path, tagged: Sequence[Record]) -> AsyncIterator[Shell]:
    """A shell on one machine that has registered ``tagged``: in their order, at their times."""
    place = Place(folder=folder, settings=job.settings())
    times = [tagged[0].appended]
    with _filled(place, times) as log:
        log.append(job.wants(log, folder))
        for appended, some in groupby(tagged, key=lambda one: one.appended):
            times[0] = appended + HALF
            log.append([NewRecord(topic="tagged", key=one.key, value=one.value) for one in some])
    async with _embedded(place) as shell:
        await shell.once()
        yield shell


@asynccontextmanager
async def on_many_machines(
    job: Job, folder: Path, *, kafka: str, elastic: Mapping[str, str]
) -> AsyncIterator[tuple[Shell, Work]]:
    """A shell over what the stages, two processes each, have made of the feeds.

    ``elastic`` are the settings of ``[index]``.
    """
    settings = {
        **job.settings(),
        "log.backend": "kafka",
        "log.bootstrap": kafka,
        "log.answer_seconds": PATIENCE_SECONDS,
        "log.prefix": f"{elastic['prefix']}.",
        "index.backend": "elasticsearch",
        "index.answer_seconds": PATIENCE_SECONDS,
        **{f"index.{name}": value for name, value in elastic.items()},
    }
    place = Place(folder=folder, settings=settings)
    chosen = _settings(place)
    await asyncio.to_thread(lambda: [*set_up(chosen)])
    async with Distributed.opened(chosen, DataFolder(place.data)) as shell, _stages(place) as ports:
        await _shared(chosen)
        shell.log.append(job.wants(shell.log, folder))
        started = time.monotonic()
        shell.feeds.import_list("\n".join(job.sites.urls), name="feeds.txt")
        await _drained(shell, len(job.sites.urls), seconds=job.seconds)
        work = Work(seconds=time.monotonic() - started)
        work.records = await _shares(ports)
        yield shell, work


def all_of(log: Log, partition: Partition) -> list[Record]:
    """Every record that is kept there."""
    found: list[Record] = []
    at, end = log.bounds(partition)
    while at < end and (page := log.read(partition, at)):
        found += page
        at = page[-1].offset + 1
    return found


def _settings(place: Place) -> Settings:
    overrides = [f"{name}={value}" for name, value in place.settings.items()]
    return load(overrides=overrides).settings


@asynccontextmanager
async def _embedded(place: Place) -> AsyncIterator[Embedded]:
    data = DataFolder(place.data)
    with data.lock():
        async with Embedded.opened(_settings(place), data) as shell:
            yield shell


@contextmanager
def _filled(place: Place, times: Sequence[datetime] = ()) -> Iterator[SqliteLog]:
    """The log of ``place`` before anything runs there; appends are made at ``times[0]``."""
    clock = (lambda: times[0]) if times else (lambda: datetime.now(UTC))
    log = SqliteLog(DataFolder(place.data).log, clock=clock)
    try:
        log.ensure_topics(specs(_settings(place)))
        yield log
    finally:
        log.close()


@asynccontextmanager
async def _stages(place: Place) -> AsyncIterator[list[tuple[str, int]]]:
    """A process for each stage, once all answer: their names and the ports of their figures."""
    ports = [(stage, free_port()) for stage in STAGES]
    started = [
        Running(
            replace(place, settings={**place.settings, "stage.metrics_port": port}),
            "stage",
            stage,
            number=number,
        )
        for number, (stage, port) in enumerate(ports)
    ]
    try:
        for one, (_, port) in zip(started, ports, strict=True):
            await answering(one, f"http://127.0.0.1:{port}/healthz", seconds=GATHER_SECONDS)
        yield ports
        for one in started:
            one.process.send_signal(signal.SIGTERM)
        statuses = [await one.ended(seconds=START_SECONDS) for one in started]
        for (stage, _), status in zip(ports, statuses, strict=True):
            assert_ended({stage: status})
    finally:
        for one in started:
            one.kill()


async def _shared(settings: Settings) -> None:
    """Wait until both processes of each stage are members of its group."""
    from kafka import KafkaAdminClient  # noqa: PLC0415  needs the extra

    admin = KafkaAdminClient(bootstrap_servers=settings.log.bootstrap)
    names = [f"{settings.log.prefix}{group}" for group in GROUPS]
    try:
        async with asyncio.timeout(GATHER_SECONDS):
            while True:
                groups = await asyncio.to_thread(admin.describe_groups, names)
                if all(_is_shared(one) for one in groups.values()):
                    return
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        admin.close()


def _is_shared(group: Mapping[str, Any]) -> bool:
    return group["group_state"] == "Stable" and len(group["members"]) == 2


async def _drained(shell: Distributed, feeds: int, *, seconds: float) -> None:
    """Wait until every feed is polled, and all that came of it is through every stage."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(_is_drained, shell, feeds):  # noqa: ASYNC110 - no event
            await asyncio.sleep(DRAIN_SECONDS)
    shell.index.refresh()


def _is_drained(shell: Distributed, feeds: int) -> bool:
    states = [decode(FeedState, one.value or b"") for one in shell.log.table("feed-state").items()]
    if sum(one.last_poll is not None for one in states) < feeds:
        return False
    # In the order of the pipeline: what has left a stage is in the input of the next.
    if any(behind() for behind in shell.lags().values()):
        return False
    return Counter(one.state for one in all_alerts(shell.log))["waiting"] == 0


async def _shares(ports: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    """What each process of a stage has handled, as it says itself, two seconds late."""
    until = time.monotonic() + SAID_SECONDS
    while True:
        found: dict[str, list[int]] = {}
        for stage, port in ports:
            found.setdefault(stage, []).append(await _records(port))
        idle = sum(counts.count(0) for counts in found.values())
        if idle <= 1 or time.monotonic() > until:
            return found
        await asyncio.sleep(DRAIN_SECONDS)


async def _records(port: int) -> int:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    found = re.search(r"^wirewatch_stage_records_total\{.*\} (\S+)$", text, re.MULTILINE)
    assert found, text
    return int(float(found[1]))


def told_ids(folder: Path) -> list[str]:
    """The ids of the alerts that arrived, in no order."""
    with contextlib.suppress(FileNotFoundError):  # no alert yet
        lines = told(folder).read_text("utf-8").splitlines()
        return [json.loads(line)["data"]["alert_id"] for line in lines]
    return []
