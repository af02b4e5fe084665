"""F59, the embedded log's part: a log that came back empty or older."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.errors import ForeignStoreError
from ingest.log import Commit, NewRecord, Partition, TopicSpec
from ingest.sqlite_log import SqliteLog

NEWS = Partition("news")


def opened(path: Path, count: int) -> SqliteLog:
    log = SqliteLog(path)
    log.ensure_topics([TopicSpec(name="news")])
    log.append([NewRecord(topic="news", key="k", value=b"v")] * count)
    return log


def test_f59_a_log_that_came_back_empty_has_another_identity(tmp_path: Path) -> None:
    log = opened(tmp_path / "log.sqlite", 3)
    identity = log.identity()
    log.close()
    log = opened(tmp_path / "log.sqlite", 0)
    assert log.identity() == identity
    log.close()
    for file in tmp_path.iterdir():
        file.unlink()
    log = opened(tmp_path / "log.sqlite", 3)
    assert log.identity() != identity
    log.close()


def test_f59_a_checkpoint_beyond_the_end_of_an_older_log_stops_the_stage(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = opened(path, 3)
    log.close()
    shutil.copy(path, tmp_path / "older")
    log = opened(path, 3)
    log.close()
    shutil.copy(tmp_path / "older", path)

    def checkpoint(given: frozenset[Partition]) -> Mapping[Partition, int]:
        return dict.fromkeys(given, 6)

    log = SqliteLog(path)
    consumer = log.consumer("index", ["news"], on_assign=checkpoint)
    with pytest.raises(ForeignStoreError) as caught:
        consumer.poll(timeout_seconds=0)
    assert "older" in caught.value.sentence
    assert "reindex" in caught.value.hint
    consumer.close()
    log.close()


def test_f59_a_committed_place_beyond_the_end_stops_the_stage(tmp_path: Path) -> None:
    log = opened(tmp_path / "log.sqlite", 3)
    log.append([], commit=Commit(group="tag", offsets={NEWS: 6}))
    consumer = log.consumer("tag", ["news"])
    with pytest.raises(ForeignStoreError):
        consumer.poll(timeout_seconds=0)
    consumer.close()
    log.close()
