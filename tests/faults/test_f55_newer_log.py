"""F55, the log's part: a data folder of a newer version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest.errors import NewerSchemaError
from ingest.log import NewRecord, TopicSpec
from ingest.sqlite_log import SqliteLog


def test_f55_a_log_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteLog(path)
    log.ensure_topics([TopicSpec(name="news")])
    log.append([NewRecord(topic="news", key="k", value=b"v")])
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
    before = path.read_bytes()
    with pytest.raises(NewerSchemaError) as caught:
        SqliteLog(path)
    assert "made by a newer version" in caught.value.sentence
    assert "Upgrade" in caught.value.hint
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["log.sqlite"]
