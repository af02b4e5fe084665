"""What the register knows of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import MalformedRecordError
from ingest.log import NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.known import Known
from processors.records import StoryLink


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "log.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


def link(survivor: str) -> StoryLink:
    return StoryLink(story_id="a", survivor=survivor, order=1)


def write(log: SqliteLog, key: str, value: bytes) -> None:
    log.append([NewRecord(topic="story-links", key=key, value=value)])


def test_a_batch_is_as_the_log_was_when_it_began_and_as_decided_since(log: SqliteLog) -> None:
    known = Known(StoryLink, log.table("story-links"))
    write(log, "a", encode(link("old")))
    known.read(["a", "b"])
    write(log, "a", encode(link("foreign")))
    write(log, "b", encode(link("foreign")))
    assert known.get("a") == link("old")
    assert known.get("b") is None
    known.put("b", link("mine"))
    assert known.get("b") == link("mine")
    known.forget()
    assert known.get("b") == link("foreign")


def test_a_key_that_was_not_looked_up_is_asked_for(log: SqliteLog) -> None:
    known = Known(StoryLink, log.table("story-links"))
    write(log, "a", encode(link("old")))
    known.read(["b"])
    assert known.get("a") == link("old")


def test_a_record_that_cannot_be_read_stops_only_its_own_article(log: SqliteLog) -> None:
    known = Known(StoryLink, log.table("story-links"))
    write(log, "a", encode(link("old")))
    write(log, "bad", b"{")
    known.read(["a", "bad"])
    assert known.get("a") == link("old")
    with pytest.raises(MalformedRecordError):
        known.get("bad")
