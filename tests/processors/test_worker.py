"""The loops: take, do, write and commit together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import FencedError, UnavailableError
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.loop import Loop, Stage
from processors.records import StoryRecord, Tagged
from processors.worker import Registrar, Tagger, TopicFile
from tests.made_up_news import sighting
from tests.processors.test_pipeline import TEXT, TOPIC


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    found = SqliteLog(tmp_path / "log.sqlite")
    found.ensure_topics(topic_specs())
    yield found
    found.close()


@pytest.fixture
def quarantine(log: SqliteLog, tmp_path: Path) -> Quarantine:
    return Quarantine(log, tmp_path / "quarantine")


def topic(version: int, text: str = TOPIC) -> NewRecord:
    file = TopicFile(id="dock-strikes", lang="en", version=version, text=text)
    return NewRecord(topic="topics", key="dock-strikes.en", value=encode(file))


def article(name: str, text: str = TEXT, *, feed: str = "feed-a", minutes: int = 0) -> NewRecord:
    seen = sighting(name, text, feed=feed, minutes=minutes)
    return NewRecord(topic="articles", key=name, value=encode(seen))


def tagged_in(log: SqliteLog) -> list[Tagged]:
    records = log.read(Partition("tagged"), 0)
    return [decode(Tagged, record.value or b"") for record in records]


def test_an_article_is_tagged_by_the_topics_in_the_log(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    log.append([topic(2), article("a")])
    assert Tagger(log, quarantine=quarantine).step(0) == 1
    (tagged,) = tagged_in(log)
    assert [one.topic for one in tagged.topics] == ["dock-strikes"]
    assert log.committed("tag", Partition("articles")) == 1


def test_a_topic_that_changes_counts_for_the_next_article(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    tagger = Tagger(log, quarantine=quarantine)
    log.append([article("a")])
    tagger.step(0)
    log.append([topic(2), article("b")])
    tagger.step(0)
    log.append([NewRecord(topic="topics", key="dock-strikes.en", value=None), article("c")])
    tagger.step(0)
    assert [len(tagged.topics) for tagged in tagged_in(log)] == [0, 1, 0]


def test_a_topic_file_that_cannot_be_read_leaves_the_others_in_force(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    bad = TopicFile(id="bad", lang="en", version=1, text="schema: 1\nid: [")
    broken = NewRecord(topic="topics", key="bad.en", value=encode(bad))
    log.append([broken, topic(2), article("a")])
    Tagger(log, quarantine=quarantine).step(0)
    assert [one.topic for one in tagged_in(log)[0].topics] == ["dock-strikes"]


def test_the_register_writes_stories_and_counts_what_it_decided(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    log.append(
        [
            topic(2),
            article("a"),
            article("b", feed="feed-b"),
            article("a", TEXT + " A deal is near.", minutes=1),
            article("a", feed="feed-b"),
            article("a", feed="feed-b"),
        ]
    )
    Tagger(log, quarantine=quarantine).step(0)
    registrar = Registrar(log, quarantine=quarantine)
    assert registrar.step(0) == 5
    counts = registrar.counts
    assert (counts.articles, counts.revisions, counts.duplicates) == (2, 1, 2)
    assert (counts.copies, counts.stories, counts.tagged) == (1, 1, 2)
    record = log.table("stories").get("a")
    assert record is not None
    story = decode(StoryRecord, record.value or b"")
    assert (story.article.revision, story.article.feeds) == (2, ("feed-a", "feed-b"))
    assert registrar.loop.lag() == 0


def test_nothing_is_lost_while_the_log_is_full_and_the_stage_backs_off(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    full = threading.Event()
    full.set()

    def disk(_: str) -> None:
        if full.is_set():
            raise UnavailableError("disk full")

    log.append([article("a"), article("b")])
    tagger = Tagger(log, quarantine=quarantine, crash_point=disk)
    delays = []
    for _ in range(9):
        assert tagger.step(0) == 0
        delays.append(tagger.loop.delay_seconds)
    assert delays[:3] == [0.5, 1.0, 2.0]
    assert max(delays) == 30.0
    assert tagger.loop.lag() == 2
    assert tagged_in(log) == []
    full.clear()
    assert tagger.step(0) == 2
    assert tagger.loop.delay_seconds == 0
    assert [tagged.article.id for tagged in tagged_in(log)] == ["a", "b"]


def test_a_run_goes_on_until_it_is_told_to_stop(log: SqliteLog, quarantine: Quarantine) -> None:
    stop = threading.Event()
    tagger = Tagger(log, quarantine=quarantine)
    worker = threading.Thread(target=tagger.run, args=(stop,))
    worker.start()
    log.append([article("a")])
    until = time.monotonic() + 20
    while not tagged_in(log) and time.monotonic() < until:
        time.sleep(0.02)
    stop.set()
    worker.join(20)
    assert not worker.is_alive()
    assert len(tagged_in(log)) == 1


def test_a_record_too_large_to_write_is_set_aside_alone(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    def work(record: object) -> list[NewRecord]:
        size = 950_000 if "big" in str(record) else 10
        return [NewRecord(topic="tagged", key="x", value=b"x" * size)]

    stage = Stage(name="tag", group="g", topic="articles", crash_name="K3", work=work)
    log.append([article("a"), replace(article("b"), key="big"), article("c")])
    loop = Loop(log, stage, quarantine=quarantine)
    assert loop.step(0) == 3
    assert loop.quarantined == 1
    assert len(log.read(Partition("tagged"), 0)) == 2
    (item,) = quarantine.items()
    assert (item.key, item.code) == ("big", "record-too-large")


def test_a_stage_that_lost_its_partition_starts_from_what_was_committed(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    losses = iter([True])

    def lose(_: str) -> None:
        if next(losses, False):
            raise FencedError("another member owns articles/0")

    log.append([article("a"), article("b")])
    tagger = Tagger(log, quarantine=quarantine, crash_point=lose)
    assert tagger.step(0) == 0
    assert tagged_in(log) == []
    assert tagger.step(0) == 2
    assert [tagged.article.id for tagged in tagged_in(log)] == ["a", "b"]
