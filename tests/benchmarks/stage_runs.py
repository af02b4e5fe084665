"""Stages as processes over a real Kafka and Elasticsearch: carried, timed, accounted for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cluster import Cluster
from ingest.errors import UnavailableError
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import Log, Partition
from search.cursors import alert_lag
from search.elastic_index import ElasticIndex
from search.elastic_settings import ElasticSettings
from tests.benchmarks.processor_time import process_seconds
from tests.running import Place, Running

LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 600.0
STOP_SECONDS = 30.0
CHILDREN = "core, in processes of its own"
PLAIN = "plain loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How one step went; seconds are of processors where they are not ``per_second``'s.

    Attributes:
        start_seconds: From the start of the processes to the first record they finished.
        ours: Of our processes, without their start.
        parts: Of ours with their start, by part.
    """

    per_second: float
    start_seconds: float
    ours: float
    kafka: float
    elasticsearch: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    at: float
    done: int
    ours: float
    kafka: float
    elasticsearch: float


@dataclass(slots=True, kw_only=True)
class Room:
    """Topics and indices of one round's own, behind ``prefix``."""

    folder: Path
    cluster: Cluster
    prefix: str
    partitions: int = 4
    settings: Mapping[str, object] = field(default_factory=dict)
    _started: int = 0

    @property
    def kafka(self) -> KafkaSettings:
        """The log."""
        return KafkaSettings(bootstrap=self.cluster.kafka.address, prefix=f"{self.prefix}.")

    @property
    def elastic(self) -> ElasticSettings:
        """The index."""
        return ElasticSettings(url=self.cluster.elasticsearch.url, prefix=self.prefix)

    def place(self, name: str) -> Place:
        """A folder for one process, which is told where both servers are."""
        self._started += 1
        folder = self.folder / f"{self.prefix}-{self._started}-{name}"
        folder.mkdir()
        ours = {
            "log.backend": "kafka",
            "log.bootstrap": self.kafka.bootstrap,
            "log.prefix": self.kafka.prefix,
            "log.partitions": self.partitions,
            "index.backend": "elasticsearch",
            "index.url": self.elastic.url,
            "index.prefix": self.elastic.prefix,
            **self.settings,
        }
        return Place(folder=folder, settings=ours)

    def set_up(self, feeds: Sequence[str]) -> None:
        """What ``wirewatch setup`` makes, and a list of feeds."""
        place = self.place("setup")
        place.call("setup")
        file = place.folder / "feeds.txt"
        file.write_text("\n".join(feeds))
        place.call("feeds", "add", str(file))

    @contextmanager
    def log(self) -> Iterator[Log]:
        """The log, for the length of the block."""
        with contextlib.closing(KafkaLog(self.kafka)) as log:
            yield log

    @contextmanager
    def stages(self, *names: str) -> Iterator[dict[str, Running]]:
        """A process for each stage, with an account of its time; stopped in good order."""
        found: dict[str, Running] = {}
        try:
            for name in names:
                place = self.place(name)
                command = ("-m", "tests.benchmarks.cpu_shares", str(_report(place)))
                title = f"{name}-{len(found)}"
                found[title] = Running(place, "stage", name, command=command)
            yield found
        finally:
            _stop(found)

    @contextmanager
    def plain(self) -> Iterator[dict[str, Running]]:
        """The loop without any of ours."""
        place = self.place("plain")
        given = (self.kafka.bootstrap, self.kafka.prefix, self.elastic.url, f"{self.prefix}-plain")
        code = f"import sys, tests.benchmarks.plain_loop as p; sys.argv = ['', *{given}]; p.main()"
        found = {PLAIN: Running(place, command=("-c", code))}
        try:
            yield found
        finally:
            _stop(found)


def _report(place: Place) -> Path:
    return place.folder / "shares.json"


def _stop(running: Mapping[str, Running]) -> None:
    for one in running.values():
        one.process.terminate()
    for one in running.values():
        try:
            one.process.wait(STOP_SECONDS)
        finally:
            one.kill()


def counters(log: Log, index: ElasticIndex) -> dict[str, Callable[[], tuple[int, int]]]:
    """By stage: how many records of its input it has done, and how many there are."""

    def ends(topic: str) -> int:
        return sum(log.bounds(one)[1] for one in _all(log, topic))

    def grouped(group: str, topic: str) -> tuple[int, int]:
        return sum(log.committed(group, one) or 0 for one in _all(log, topic)), ends(topic)

    def indexed() -> tuple[int, int]:
        checkpoint = index.checkpoint()
        return sum(checkpoint.stories.values()) if checkpoint else 0, ends("stories")

    def alerted() -> tuple[int, int]:
        waits = alert_lag(log, range(log.partitions("subscriptions")))
        there = ends("stories") + ends("subscriptions")
        return there - waits, there

    return {
        "tag": lambda: grouped("tag", "articles"),
        "group": lambda: grouped("register", "tagged"),
        "index": indexed,
        "alert": alerted,
        PLAIN: lambda: grouped("plain", "articles"),
        "poll": lambda: (ends("articles"), 0),
    }


def _all(log: Log, topic: str) -> list[Partition]:
    return [Partition(topic, number) for number in range(log.partitions(topic))]


@contextmanager
def counting(room: Room) -> Iterator[dict[str, Callable[[], tuple[int, int]]]]:
    """``counters`` of the room."""
    index = ElasticIndex(room.elastic)
    with contextlib.closing(index), room.log() as log:
        yield counters(log, index)


async def carried(
    room: Room, running: Mapping[str, Running], done: Callable[[], int], *, total: int, records: int
) -> Carried:
    """Watch until ``done`` of ``records`` are; per second and per processor counted in ``total``.

    Raises:
        RuntimeError: a process ended, or it takes for ever.
    """
    clock = asyncio.get_running_loop().time
    places = {name: one.place for name, one in running.items()}

    def look() -> _Look:
        # First what is done: what is taken until we look at the processors is little.
        count, at = _known(done), clock()
        ours = sum(process_seconds(place.processes()) for place in places.values())
        servers = room.cluster
        return _Look(
            at=at,
            done=count,
            ours=ours,
            kafka=process_seconds([servers.kafka.pid]),
            elasticsearch=process_seconds([servers.elasticsearch.pid]),
        )

    started = clock()
    none = _known(done)
    first: _Look | None = None
    while True:
        now = await asyncio.to_thread(look)
        if first is None and now.done > none:
            first = now
        if now.done >= records:
            break
        for name, one in running.items():
            if one.process.poll() is not None or now.at - started > PATIENCE_SECONDS:
                raise RuntimeError(f"{name}: {now.done} of {records}: {one.said()}")
        await asyncio.sleep(LOOK_SECONDS)
    assert first is not None
    share = total * (now.done - first.done) / records  # articles, where a record is not one
    share = max(share, 1e-9)
    children = {name: _children(one) for name, one in running.items()}
    _stop(running)
    parts: dict[str, float] = defaultdict(float)
    for name, place in places.items():
        if _report(place).exists():
            for part, took in json.loads(_report(place).read_text()).items():
                parts[part] += took
            parts[CHILDREN] += children[name]
    return Carried(
        per_second=share / max(now.at - first.at, 1e-9),
        start_seconds=first.at - started,
        ours=(now.ours - first.ours) / share * 1000,
        kafka=(now.kafka - first.kafka) / share * 1000,
        elasticsearch=(now.elasticsearch - first.elasticsearch) / share * 1000,
        parts=parts,
    )


def _known(done: Callable[[], int]) -> int:
    """What is done; nothing while Kafka, which is new, has no place for groups yet."""
    try:
        return done()
    except UnavailableError:
        return 0


def _children(running: Running) -> float:
    return process_seconds(running.place.processes() - {running.pid})


if sys.platform != "linux":
    raise RuntimeError("this reads /proc")
