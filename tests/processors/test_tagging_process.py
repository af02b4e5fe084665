"""Tagging in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import MalformedRecordError, UnavailableError
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.settings import ParseSettings
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.pipeline import tag
from processors.records import Tagged
from processors.tagging_process import MAX_RECORDS, TaggingProcess
from processors.worker import Tagger, TopicFile
from tests.made_up_news import sighting
from tests.processors.test_pipeline import TEXT, TOPIC, engine

TOPICS = (("dock-strikes.en", TOPIC),)
FRAGILE = "tests.tagging_targets:fragile"


@pytest.fixture
def process() -> Iterator[TaggingProcess]:
    found = TaggingProcess(ParseSettings(seconds=2), target=FRAGILE)
    yield found
    found.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "log.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


def article(name: str, text: str = TEXT) -> bytes:
    return encode(sighting(name, text))


def test_it_tags_as_the_pipeline_does(process: TaggingProcess) -> None:
    process.warm_up(TOPICS)
    values = [article(f"a{number}") for number in range(MAX_RECORDS + 3)]
    made = process.tag(values, TOPICS)
    expected = [tag(sighting(f"a{number}", TEXT), engine=engine()) for number in range(len(values))]
    assert [decode(Tagged, one or b"") for one in made] == expected
    assert expected[0].topics


def test_changed_topics_are_in_force_from_the_next_call_on(process: TaggingProcess) -> None:
    (before,) = process.tag([article("a")], TOPICS)
    (after,) = process.tag([article("a")], (("dock-strikes.en", TOPIC.replace("port", "pier")),))
    (none,) = process.tag([article("a")], ())
    assert decode(Tagged, before or b"").topics
    assert decode(Tagged, after or b"").topics
    assert not decode(Tagged, none or b"").topics


def test_what_is_no_article_gives_none_and_the_others_come(process: TaggingProcess) -> None:
    made = process.tag([article("a"), b"{not json", article("b")], TOPICS)
    assert [one is None for one in made] == [False, True, False]
    assert process.tag_one(b"{not json", TOPICS) is None


@pytest.mark.parametrize("word", ["CRASH", "SPIN"])
def test_a_text_that_brings_it_down_is_named_and_the_next_one_is_tagged(
    process: TaggingProcess, word: str
) -> None:
    bad = article("bad", f"{word} {TEXT}")
    assert process.tag([article("a"), bad], TOPICS) == [None, None]
    with pytest.raises(MalformedRecordError, match="tagging ended") as caught:
        process.tag_one(bad, TOPICS)
    assert caught.value.sentence == "Tagging took more than 2 s, or crashed."
    assert process.tag_one(article("a"), TOPICS)


@pytest.mark.parametrize("target", ["tests.tagging_targets:broken", "tests.nothing:here"])
def test_a_process_that_does_not_start_blames_no_article(target: str) -> None:
    process = TaggingProcess(ParseSettings(), target=target)
    process.warm_up(TOPICS)
    with pytest.raises(UnavailableError, match="no tagging process"):
        process.tag([article("a")], TOPICS)
    with pytest.raises(UnavailableError):
        process.tag_one(article("a"), TOPICS)


def test_f39_a_text_that_brings_tagging_down_is_set_aside_and_the_rest_is_tagged(
    log: SqliteLog, process: TaggingProcess, tmp_path: Path
) -> None:
    file = TopicFile(id="dock-strikes", lang="en", version=2, text=TOPIC)
    log.append([NewRecord(topic="topics", key="dock-strikes.en", value=encode(file))])
    quarantine = Quarantine(log, tmp_path / "quarantine")
    texts = {"a": TEXT, "bad": f"CRASH {TEXT}", "none": "", "b": TEXT}
    log.append(
        [
            NewRecord(topic="articles", key=name, value=article(name, text) if text else b"{")
            for name, text in texts.items()
        ]
    )
    tagger = Tagger(log, quarantine=quarantine, process=process)
    assert tagger.step(0) == 4
    made = [decode(Tagged, one.value or b"") for one in log.read(Partition("tagged"), 0)]
    assert [one.article.id for one in made] == ["a", "b"]
    assert all(one.topics for one in made)
    rows = {row.key: row.code for row in quarantine.items()}
    assert rows == {"bad": "not-tagged", "none": "malformed-record"}
