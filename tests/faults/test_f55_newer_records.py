"""F55: a record made by a newer version stops the worker with a sentence, and is kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import NewerSchemaError
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import SCHEMA, encode
from processors.pipeline import tag
from processors.topics import TopicEngine
from processors.worker import Registrar, Tagger, TopicFile
from tests.made_up_news import sighting

TEXT = "Dock workers in the port of Velmara walked out at dawn after pay talks broke down."


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "log.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


def newer(value: bytes) -> bytes:
    return json.dumps({**json.loads(value), "schema": SCHEMA + 1, "more": True}).encode()


def test_f55_a_newer_sighting_stops_the_tagger_and_loses_nothing(
    log: SqliteLog, tmp_path: Path
) -> None:
    quarantine = Quarantine(log, tmp_path / "quarantine")
    value = encode(sighting("a", TEXT))
    log.append(
        [
            NewRecord(topic="articles", key="a", value=value),
            NewRecord(topic="articles", key="b", value=newer(value)),
        ]
    )
    with pytest.raises(NewerSchemaError, match="schema") as caught:
        Tagger(log, quarantine=quarantine).run(threading.Event())
    assert "newer Wirewatch" in caught.value.sentence
    assert "Upgrade" in caught.value.hint
    assert not log.committed("tag", Partition("articles"))
    assert quarantine.items() == []


def test_f55_a_newer_tagged_record_stops_the_register(log: SqliteLog, tmp_path: Path) -> None:
    value = encode(tag(sighting("a", TEXT), engine=TopicEngine(())))
    log.append([NewRecord(topic="tagged", key="a", value=newer(value))])
    registrar = Registrar(log, quarantine=Quarantine(log, tmp_path / "quarantine"))
    with pytest.raises(NewerSchemaError):
        registrar.step(0)
    assert log.bounds(Partition("stories")) == (0, 0)


def test_f55_a_newer_topic_stops_the_tagger_at_its_start(log: SqliteLog, tmp_path: Path) -> None:
    value = encode(TopicFile(id="x", lang="en", version=1, text=""))
    log.append([NewRecord(topic="topics", key="x.en", value=newer(value))])
    with pytest.raises(NewerSchemaError):
        Tagger(log, quarantine=Quarantine(log, tmp_path / "quarantine"))
