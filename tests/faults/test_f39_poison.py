"""F39: a record that cannot be processed is set aside, and the rest flows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.article import Article
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors import tagging
from processors.pipeline import tag
from processors.topics import TopicEngine
from processors.worker import Registrar, Tagger
from tests.made_up_news import sighting

TEXT = "Dock workers in the port of Velmara walked out at dawn after pay talks broke down."
POISON = [b"{not json", b"[]", b'{"article": 3}', b"", b"\x80\x04\x95", None]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "log.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


def article(name: str) -> NewRecord:
    return NewRecord(topic="articles", key=name, value=encode(sighting(name, TEXT)))


def tagged(name: str) -> NewRecord:
    value = encode(tag(sighting(name, TEXT), engine=TopicEngine(())))
    return NewRecord(topic="tagged", key=name, value=value)


@pytest.mark.parametrize("poison", POISON)
def test_f39_bytes_that_are_no_article_are_set_aside_and_the_rest_is_tagged(
    poison: bytes | None, log: SqliteLog, tmp_path: Path
) -> None:
    quarantine = Quarantine(log, tmp_path / "quarantine")
    log.append([article("a"), NewRecord(topic="articles", key="bad", value=poison), article("b")])
    tagger = Tagger(log, quarantine=quarantine)
    assert tagger.step(0) == 3
    assert [record.key for record in log.read(Partition("tagged"), 0)] == ["a", "b"]
    (item,) = quarantine.items()
    assert (item.stage, item.key, item.topic) == ("tag", "bad", "articles")
    assert (item.code, bool(item.why)) == ("malformed-record", True)
    assert quarantine.bytes_of(item.id) == (poison or b"")
    assert tagger.loop.quarantined == 1


@pytest.mark.parametrize("poison", POISON)
def test_f39_bytes_that_are_no_tagged_article_are_set_aside_and_the_rest_is_registered(
    poison: bytes | None, log: SqliteLog, tmp_path: Path
) -> None:
    quarantine = Quarantine(log, tmp_path / "quarantine")
    log.append([tagged("a"), NewRecord(topic="tagged", key="bad", value=poison), tagged("b")])
    registrar = Registrar(log, quarantine=quarantine)
    assert registrar.step(0) == 3
    assert [record.key for record in log.table("stories").items()] == ["a", "b"]
    assert registrar.counts.articles == 2
    assert [(item.stage, item.key) for item in quarantine.items()] == [("group", "bad")]


def test_f39_an_article_on_which_tagging_breaks_is_set_aside_once_with_its_bytes(
    log: SqliteLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(seen: Any, *, engine: TopicEngine) -> Any:
        found: Article = seen.article
        if found.id == "bad":
            raise ZeroDivisionError("rule 7")
        return tag(seen, engine=engine)

    monkeypatch.setattr(tagging, "tag", breaks)
    quarantine = Quarantine(log, tmp_path / "quarantine")
    log.append([article("a"), article("bad"), article("b"), article("bad")])
    tagger = Tagger(log, quarantine=quarantine)
    assert tagger.step(0) == 4
    assert [record.key for record in log.read(Partition("tagged"), 0)] == ["a", "b"]
    items = quarantine.items()
    assert {(item.code, item.key) for item in items} == {("unexpected", "bad")}
    assert "ZeroDivisionError: rule 7" in items[0].why
    assert quarantine.bytes_of(items[0].id) == article("bad").value
