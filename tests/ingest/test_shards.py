"""Ownership over the Log port, on SQLite; ``test_poll_stage`` has it on Kafka."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ingest.log import NewRecord, Partition, Record, TopicSpec, topic_specs
from ingest.requests import RequestReader
from ingest.shards import Shards
from ingest.sqlite_log import SqliteLog

PARTITIONS = 4


class Noting:
    """An owner that keeps what it was told."""

    def __init__(self) -> None:
        self.lists: dict[int, dict[str, bytes | None]] = {}
        self.told: list[str] = []

    def gained(self, partition: int, records: Sequence[Record]) -> None:
        self.lists[partition] = {record.key: record.value for record in records}
        self.told.append(f"gained {partition}")

    def changed(self, records: Sequence[Record]) -> None:
        for record in records:
            self.lists[record.partition.number][record.key] = record.value
        self.told.append("changed")

    def lost(self, partitions: frozenset[int]) -> None:
        for number in partitions:
            del self.lists[number]
        self.told.append(f"lost {sorted(partitions)}")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics([*topic_specs(), TopicSpec(name="list", partitions=PARTITIONS)])
    yield log
    log.close()


def put(log: SqliteLog, key: str, value: bytes | None = b"v", *, shard: int = 0) -> None:
    number = shard % PARTITIONS
    log.append([NewRecord(topic="list", key=key, value=value, partition=number)])


def member(log: SqliteLog, owner: Noting, *, lease_seconds: float = 60.0) -> Shards:
    return Shards(log, owner, group="owners", topic="list", lease_seconds=lease_seconds)


def settle(*members: Shards) -> None:
    for _ in range(3):
        for one in members:
            one.step(0)


def test_the_list_as_it_stood_comes_in_one_piece_before_anything_is_owned(log: SqliteLog) -> None:
    put(log, "kept", shard=1)
    put(log, "gone", shard=1)
    put(log, "gone", None, shard=1)
    owner = Noting()
    shards = member(log, owner)
    assert not shards.owns(1)
    settle(shards)
    assert owner.lists == {0: {}, 1: {"kept": b"v"}, 2: {}, 3: {}}
    assert all(shards.owns(shard) for shard in range(32))
    assert shards.share() == 1.0
    put(log, "new", shard=5)
    put(log, "kept", None, shard=1)
    settle(shards)
    assert owner.lists[1] == {"kept": None, "new": b"v"}


def test_a_list_whose_last_records_were_compacted_away_is_read_to_its_end(
    tmp_path: Path,
) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics([*topic_specs()])
    log.append([NewRecord(topic="feeds", key="a", value=b"v")])
    log.append([NewRecord(topic="feeds", key="b", value=b"v")])
    log.append([NewRecord(topic="feeds", key="b", value=None)])
    log.sweep()
    owner = Noting()
    shards = Shards(log, owner, group="poll", topic="feeds")
    settle(shards)
    assert owner.lists == {0: {"a": b"v"}}
    log.close()


def test_two_members_share_and_the_one_that_stays_takes_over(log: SqliteLog) -> None:
    put(log, "one", shard=1)
    first, second = Noting(), Noting()
    older = member(log, first)
    settle(older)
    before = older.generation(1)
    newer = member(log, second)
    settle(older, newer)
    assert older.owned() | newer.owned() == frozenset(range(PARTITIONS))
    assert not older.owned() & newer.owned()
    assert first.lists.keys() == older.owned()
    assert (older.share(), newer.share()) == (0.5, 0.5)
    assert newer.generation(1) > before
    stop = threading.Event()
    stop.set()
    newer.run(stop)
    settle(older)
    assert older.owned() == frozenset(range(PARTITIONS))
    assert second.lists == {}


def test_a_later_owner_outranks_every_earlier_one_also_after_a_restart(log: SqliteLog) -> None:
    ranks = []
    for _ in range(3):
        shards = member(log, Noting())
        settle(shards)
        ranks.append(shards.generation(2))
        stop = threading.Event()
        stop.set()
        shards.run(stop)
        assert shards.generation(2) == -1
    assert ranks == sorted(set(ranks))


def test_whoever_stood_still_beyond_the_lease_owns_nothing_until_it_joined_anew(
    log: SqliteLog,
) -> None:
    owner = Noting()
    shards = member(log, owner, lease_seconds=0.2)
    settle(shards)
    before = shards.generation(0)
    wait_for(lambda: not shards.owns(0))
    assert shards.owned() == frozenset()
    settle(shards)
    assert "lost [0, 1, 2, 3]" in owner.told
    assert shards.generation(0) > before
    assert owner.told[-1].startswith("gained")


def test_claims_are_no_wishes(log: SqliteLog) -> None:
    reader = RequestReader(log)
    assert reader.poll(timeout_seconds=0) == []
    settle(member(log, Noting()))
    assert log.bounds(Partition("requests"))[1] == PARTITIONS
    assert reader.poll(timeout_seconds=0) == []
    reader.close()


def test_a_log_that_does_not_answer_is_said(log: SqliteLog) -> None:
    shards = member(log, Noting())
    log.close()
    shards.step(0)
    assert shards.pause
    assert not shards.owns(0)


def wait_for(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)
