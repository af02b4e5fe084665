"""What the SQLite log promises beyond the contract of every log."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import (
    FencedError,
    MalformedRecordError,
    NotFoundError,
    RecordTooLargeError,
    StoreError,
    UnavailableError,
)
from ingest.log import Commit, NewRecord, Partition, Record, TopicSpec, topic_specs
from ingest.sqlite_log import SqliteLog

NEWS = Partition("news")
TABLE = Partition("table")
START = datetime(2026, 3, 1, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path / "log.sqlite", clock=clock)
    log.ensure_topics(
        [TopicSpec(name="news", retention_days=30), TopicSpec(name="table", compacted=True)]
    )
    yield log
    log.close()


def news(value: bytes = b"v", key: str = "k") -> NewRecord:
    return NewRecord(topic="news", key=key, value=value)


def row(key: str, value: bytes | None) -> NewRecord:
    return NewRecord(topic="table", key=key, value=value)


def test_the_topics_of_the_product_can_be_made(log: SqliteLog) -> None:
    log.ensure_topics(topic_specs(articles_days=0))
    assert log.partitions("tagged") == 1
    assert log.table("stories").get("none") is None


def test_what_is_acknowledged_is_on_the_disk(log: SqliteLog) -> None:
    ask = log._writer.submit(lambda c: c.execute("pragma synchronous").fetchone()[0])
    assert ask.result() == 2
    ask = log._writer.submit(lambda c: c.execute("pragma journal_mode").fetchone()[0])
    assert ask.result() == "wal"


def test_only_the_user_can_read_the_file(log: SqliteLog, tmp_path: Path) -> None:
    log.append([news()])
    for file in tmp_path.glob("log.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_an_unknown_topic_or_partition_is_refused(log: SqliteLog) -> None:
    with pytest.raises(NotFoundError):
        log.append([NewRecord(topic="none", key="k", value=b"v")])
    with pytest.raises(NotFoundError):
        log.append([NewRecord(topic="news", key="k", value=b"v", partition=1)])
    with pytest.raises(NotFoundError):
        log.read(Partition("news", -1), 0)


def test_a_key_that_is_not_text_is_refused(log: SqliteLog) -> None:
    with pytest.raises(MalformedRecordError):
        log.append([news(key="\ud800")])


def test_a_topic_stays_compacted_or_not(log: SqliteLog) -> None:
    with pytest.raises(StoreError):
        log.ensure_topics([TopicSpec(name="news", compacted=True)])


def test_a_submission_that_fails_fails_alone(log: SqliteLog) -> None:
    reader = log.consumer("readers", ["news"])
    with log._groups.lock:  # the writer waits, so all of them share one transaction
        good = log.submit([news(b"1")])
        fenced = log.submit([news(b"2")], commit=Commit(group="readers", offsets={TABLE: 1}))
        large = log.submit([news(b"3" * 900_001)])
        last = log.submit([news(b"4")])
    assert good.result() == [0]
    with pytest.raises(FencedError):
        fenced.result()
    with pytest.raises(RecordTooLargeError):
        large.result()
    assert last.result() == [1]
    assert [r.value for r in log.read(NEWS, 0)] == [b"1", b"4"]
    reader.close()


def test_a_cancelled_submission_is_not_appended(log: SqliteLog) -> None:
    with log._groups.lock:
        log.submit([news(b"1")])
        time.sleep(0.05)  # the writer has taken the first and waits for the lock
        cancelled = log.submit([news(b"2")])
        assert cancelled.cancel()
    assert log.append([news(b"3")]) == [1]


async def test_a_coroutine_can_await_an_append(log: SqliteLog) -> None:
    futures = [asyncio.wrap_future(log.submit([news(b"%d" % n)])) for n in range(20)]
    assert await asyncio.gather(*futures) == [[n] for n in range(20)]


def test_a_group_without_members_may_commit_with_an_append(log: SqliteLog) -> None:
    log.append([news()], commit=Commit(group="nobody", offsets={NEWS: 1}))
    assert log.committed("nobody", NEWS) == 1


def test_a_commit_of_somebody_who_is_not_the_owner_appends_nothing(log: SqliteLog) -> None:
    log.append([news(b"%d" % n) for n in range(4)])
    zombie = log.consumer("readers", ["news"])
    assert len(zombie.poll()) == 4
    zombie.close()
    owner = log.consumer("readers", ["news"])
    with pytest.raises(FencedError):  # the owner has not read so far
        log.append([row("k", b"v")], commit=Commit(group="readers", offsets={NEWS: 4}))
    assert log.bounds(TABLE) == (0, 0)
    assert log.committed("readers", NEWS) is None
    assert len(owner.poll()) == 4
    log.append([row("k", b"v")], commit=Commit(group="readers", offsets={NEWS: 4}))
    assert log.committed("readers", NEWS) == 4
    owner.close()


def test_a_live_member_cannot_commit_what_another_one_owns(log: SqliteLog) -> None:
    log.ensure_topics([TopicSpec(name="wide", partitions=2)])
    log.append([NewRecord(topic="wide", key="k", value=b"v", partition=n) for n in (0, 1)])
    first = log.consumer("readers", ["wide"])
    assert len(first.poll()) == 2
    second = log.consumer("readers", ["wide"])
    (taken,) = second.assignment()
    with pytest.raises(FencedError):
        first.commit({taken: 1})
    (kept,) = first.assignment()
    first.commit({kept: 1})
    with pytest.raises(FencedError):
        first.seek(taken, 0)
    assert [r.partition for r in second.poll()] == [taken]
    first.close()
    second.close()
    with pytest.raises(FencedError):
        second.poll()


def test_a_topic_that_grows_is_spread_over_the_members_that_are_there(log: SqliteLog) -> None:
    reader = log.consumer("readers", ["news"])
    assert reader.assignment() == {NEWS}
    log.ensure_topics([TopicSpec(name="news", partitions=3, retention_days=30)])
    assert len(reader.assignment()) == 3
    reader.close()


def test_on_assign_may_append_while_it_runs(log: SqliteLog) -> None:
    log.append([news(), news()])

    def on_assign(given: frozenset[Partition]) -> dict[Partition, int]:
        assert given == {NEWS}
        return {NEWS: log.append([news(b"marker")])[0]}

    reader = log.consumer("readers", ["news"], on_assign=on_assign)
    assert [r.value for r in reader.poll()] == [b"marker"]
    reader.close()


def test_many_large_records_come_in_several_reads(log: SqliteLog) -> None:
    for _ in range(4):
        log.append([news(b"x" * 800_000) for _ in range(10)])
    reader = log.consumer("readers", ["news"])
    first = reader.poll()
    assert 0 < sum(len(r.value or b"") for r in first) < 18_000_000
    found = [r.offset for r in first]
    while records := reader.poll(timeout_seconds=0):
        found += [r.offset for r in records]
    assert found == list(range(40))
    reader.close()


def test_readers_see_whole_appends_while_somebody_writes(log: SqliteLog) -> None:
    stop = threading.Event()
    partial: list[int] = []

    def look() -> None:
        while not stop.is_set():
            found = len(log.read(NEWS, 0, max_records=100_000))
            if found % 7:
                partial.append(found)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        log.append([news() for _ in range(7)])
    stop.set()
    for thread in threads:
        thread.join()
    assert partial == []


def test_retention_deletes_what_was_appended_too_long_ago(log: SqliteLog, clock: Clock) -> None:
    log.append([news(b"old") for _ in range(500)])
    clock.moment += timedelta(days=20)
    log.append([news(b"newer")])
    clock.moment += timedelta(days=11)
    log.append([news(b"new")])
    assert log.sweep() == 500
    assert log.bounds(NEWS) == (500, 502)
    assert [r.value for r in log.read(NEWS, 0)] == [b"newer", b"new"]
    assert log.offset_at(NEWS, START) == 500
    assert log.sweep() == 0


def test_retention_keeps_what_a_group_has_not_read(log: SqliteLog, clock: Clock) -> None:
    log.append([news() for _ in range(5)])
    log.append([], commit=Commit(group="slow", offsets={NEWS: 2}))
    clock.moment += timedelta(days=31)
    log.append([news()])
    assert log.sweep() == 2
    assert log.bounds(NEWS) == (2, 6)


def test_a_sweep_deletes_superseded_records_and_old_tombstones(
    log: SqliteLog, clock: Clock
) -> None:
    log.append([row("a", b"1"), row("b", b"1"), row("a", b"2"), row("b", None)])
    assert log.sweep() == 2
    assert [(r.key, r.value) for r in log.read(TABLE, 0)] == [("a", b"2"), ("b", None)]
    clock.moment += timedelta(hours=25)
    log.append([news()])
    assert log.sweep() == 1
    assert [(r.key, r.offset) for r in log.read(TABLE, 0)] == [("a", 2)]
    assert log.bounds(TABLE) == (2, 4)
    assert [r.key for r in log.table("table").items()] == ["a"]
    left = "select (select count(*) from latest), (select count(*) from stale)"
    assert log._writer.submit(lambda c: c.execute(left).fetchone()).result() == (1, 0)


def test_a_key_that_comes_back_after_its_tombstone_stays(log: SqliteLog, clock: Clock) -> None:
    log.append([row("a", b"1"), row("a", None), row("a", b"2")])
    clock.moment += timedelta(hours=25)
    log.append([news()])
    log.sweep()
    newest = log.table("table").get("a")
    assert newest is not None
    assert newest.value == b"2"


def test_a_reader_behind_swept_records_has_no_lag_at_the_end(log: SqliteLog, clock: Clock) -> None:
    log.append([row("a", b"1"), row("b", b"2"), row("b", None)])
    clock.moment += timedelta(hours=25)
    log.append([news()])
    log.sweep()
    reader = log.consumer("readers", ["table"])
    assert [r.key for r in reader.poll()] == ["a"]
    assert reader.poll(timeout_seconds=0) == []
    assert reader.lag() == 0
    reader.close()


_steps = st.lists(
    st.one_of(
        st.lists(
            st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), st.binary(max_size=3))),
            min_size=1,
            max_size=6,
        ),
        st.just("sweep"),
        st.just("day"),
        st.just("reopen"),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=_steps)
def test_a_table_is_what_a_dictionary_would_be(
    steps: list[object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock()
    path = tmp_path_factory.mktemp("log") / "log.sqlite"
    log = SqliteLog(path, clock=clock)
    log.ensure_topics([TopicSpec(name="table", compacted=True, partitions=2)])
    model: dict[str, bytes] = {}
    try:
        for step in steps:
            if step == "sweep":
                log.sweep()
            elif step == "day":
                clock.moment += timedelta(days=1, seconds=1)
            elif step == "reopen":
                log.close()
                log = SqliteLog(path, clock=clock)
            elif isinstance(step, list):
                log.append([row(key, value) for key, value in step])
                _apply(step, model)
            table = log.table("table")
            assert {r.key: r.value for r in table.items()} == model
            assert [r.key for r in table.items()] == sorted(model)
            replayed: dict[str, bytes] = {}
            for number in (0, 1):
                found = log.read(Partition("table", number), 0)
                _apply([(r.key, r.value) for r in found], replayed)
            assert replayed == model
    finally:
        log.close()


def _apply(step: list[tuple[str, bytes | None]], model: dict[str, bytes]) -> None:
    for key, value in step:
        if value is None:
            model.pop(key, None)
        else:
            model[key] = value


def test_a_closed_log_says_so(log: SqliteLog) -> None:
    reader = log.consumer("readers", ["news"])
    timer = threading.Timer(0.1, log.close)
    timer.start()
    with pytest.raises(UnavailableError):
        reader.poll(timeout_seconds=30)
    timer.join()
    for call in (lambda: log.append([news()]), lambda: log.read(NEWS, 0), reader.poll):
        with pytest.raises(UnavailableError):
            call()
    log.close()


def test_closing_finishes_what_was_submitted(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics([TopicSpec(name="news")])
    futures = [log.submit([news(b"%d" % n)]) for n in range(200)]
    log.close()
    assert [future.result(0) for future in futures] == [[n] for n in range(200)]


def test_a_closed_log_is_whole_in_its_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteLog(path)
    log.ensure_topics([TopicSpec(name="news")])
    log.append([news(b"x" * 100_000) for _ in range(20)])
    assert log.read(NEWS, 0)
    log.close()
    side = path.with_name("log.sqlite-wal")
    assert not side.exists() or side.stat().st_size == 0
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    other = SqliteLog(copy)
    assert other.bounds(NEWS) == (0, 20)
    other.close()


def test_a_log_closes_soon_and_whole_beside_somebody_who_still_reads(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteLog(path)
    log.ensure_topics([TopicSpec(name="news")])
    log.append([news()])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from record").fetchone()
        log.append([news()])
        started = time.monotonic()
        log.close()
        assert time.monotonic() - started < 5
    again = SqliteLog(path)
    assert again.bounds(NEWS) == (0, 2)
    again.close()


def test_a_consumer_that_is_closed_while_it_waits_returns_empty(log: SqliteLog) -> None:
    reader = log.consumer("readers", ["news"])
    timer = threading.Timer(0.1, reader.close)
    timer.start()
    assert reader.poll(timeout_seconds=30) == []
    timer.join()


def test_health_names_version_state_and_size(log: SqliteLog) -> None:
    log.append([news()])
    facts = log.health()
    assert facts["state"] == "ok"
    assert facts["clock"] == "ok"
    assert facts["identity"] == log.identity()
    assert facts["sqlite"] == sqlite3.sqlite_version
    assert int(facts["bytes"]) > 4_096


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError) as caught:
        SqliteLog(path)
    assert not caught.value.retry
    assert "damaged" in caught.value.sentence


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        SqliteLog(tmp_path / "none" / "log.sqlite")
    assert "cannot be opened" in caught.value.sentence


def within(seconds: float, what: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.01)
    return False


def test_an_error_in_a_job_does_not_end_the_writer(log: SqliteLog) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("insert into record(rid, at, key) values (1, 1, 'x')")
        connection.execute("select nothing from nowhere")

    with pytest.raises(UnavailableError):
        log._writer.submit(fail).result()
    assert log._writer.submit(lambda c: c.execute("select 1 from record").fetchall()).result() == []
    assert log.append([news()]) == [0]
    assert within(5, lambda: log.health()["state"] == "ok")


def test_f65_told_to_it_gives_each_record_twice_and_keeps_the_order_of_keys(
    tmp_path: Path,
) -> None:
    """What the tests of every stage rely on; no server could be told to."""
    log = SqliteLog(tmp_path / "log.sqlite", shuffle=random.Random(65))
    log.ensure_topics([TopicSpec(name="news", partitions=3)])
    log.append([NewRecord(topic="news", key=f"{n % 5}", value=b"%d" % (n // 5)) for n in range(60)])
    consumer = log.consumer("readers", ["news"])
    found: list[Record] = []
    while records := consumer.poll(max_records=20, timeout_seconds=0):
        found += records
        places = {one.partition: 0 for one in records}
        for one in records:
            places[one.partition] = max(places[one.partition], one.offset + 1)
        consumer.commit(places)
    consumer.close()
    assert len(found) == 120
    for key in range(5):
        mine = [int(r.value or b"") for r in found if r.key == f"{key}"]
        assert list(dict.fromkeys(mine)) == list(range(12))
    assert sum(log.committed("readers", Partition("news", n)) or 0 for n in range(3)) == 60
    log.close()
