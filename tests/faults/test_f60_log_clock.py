"""F60, the embedded log's part: a clock that jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.log import NewRecord, Partition, TopicSpec
from ingest.sqlite_log import SqliteLog

NEWS = Partition("news")
TODAY = datetime(2026, 3, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.moment = TODAY

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path / "log.sqlite", clock=clock)
    log.ensure_topics([TopicSpec(name="news", retention_days=30)])
    yield log
    log.close()


def append(log: SqliteLog) -> datetime:
    (offset,) = log.append([NewRecord(topic="news", key="k", value=b"v")])
    (record,) = log.read(NEWS, offset)
    return record.appended


def test_f60_no_append_is_dated_before_the_one_before_it(
    log: SqliteLog, clock: Clock, tmp_path: Path
) -> None:
    assert append(log) == TODAY
    clock.moment = TODAY.replace(year=2016)
    assert append(log) == TODAY
    log.close()
    again = SqliteLog(tmp_path / "log.sqlite", clock=clock)
    assert append(again) == TODAY
    assert "behind the last append" in again.health()["clock"]
    assert again.offset_at(NEWS, TODAY) == 0
    clock.moment = TODAY + timedelta(seconds=1)
    assert append(again) == clock.moment
    assert again.health()["clock"] == "ok"
    again.close()


def test_f60_a_clock_ten_years_ahead_deletes_nothing_that_is_new(
    log: SqliteLog, clock: Clock
) -> None:
    append(log)
    clock.moment = TODAY.replace(year=2036)
    assert log.sweep() == 0
    clock.moment = TODAY
    append(log)
    assert log.sweep() == 0
    assert log.bounds(NEWS) == (0, 2)


def test_f60_what_was_dated_by_a_clock_ahead_stays_when_the_clock_is_set_right(
    log: SqliteLog, clock: Clock
) -> None:
    clock.moment = TODAY.replace(year=2036)
    append(log)
    clock.moment = TODAY
    append(log)
    assert log.sweep() == 0
    assert "behind the last append" in log.health()["clock"]
