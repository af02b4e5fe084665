"""F57: one address in two feeds, from two pollers, is one article with one text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.article import Sighting
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.records import StoryRecord
from processors.worker import Registrar, Tagger
from tests.made_up_news import sighting

FRONT = sighting("a", "Dockers in Velmara strike.", feed="front-page", minutes=2)
SECTION = sighting(
    "a", "Dock workers in the port of Velmara walked out at dawn.", feed="trade", minutes=1
)
MIDNIGHT = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize("pair", [(FRONT, SECTION), (SECTION, FRONT)], ids=["front", "section"])
@pytest.mark.parametrize("apart", [True, False], ids=["two batches", "one batch"])
def test_f57_the_first_feed_gives_the_text_and_the_month_and_the_second_is_named(
    pair: tuple[Sighting, Sighting], tmp_path: Path, *, apart: bool
) -> None:
    now = MIDNIGHT - timedelta(milliseconds=5)
    log = SqliteLog(tmp_path / "log.sqlite", clock=lambda: now)
    log.ensure_topics(topic_specs())
    quarantine = Quarantine(log, tmp_path / "quarantine")
    tagger, registrar = (
        Tagger(log, quarantine=quarantine),
        Registrar(log, quarantine=quarantine),
    )
    for seen in pair:
        log.append([NewRecord(topic="articles", key="a", value=encode(seen))])
        tagger.step(0)
        if apart:
            registrar.step(0)
        now = MIDNIGHT + timedelta(seconds=1)
    registrar.step(0)
    written = log.read(Partition("stories"), 0)
    log.close()
    stories = [decode(StoryRecord, record.value or b"") for record in written]
    assert [story.change for story in stories] == ["new", "feed"]
    first, last = stories
    assert {story.article.text for story in stories} == {pair[0].article.text}
    assert {story.article.revision for story in stories} == {1}
    assert last.article.feeds == (pair[0].article.feed_id, pair[1].article.feed_id)
    assert first.article.seen == last.article.seen == MIDNIGHT - timedelta(milliseconds=5)
    assert last.order > first.order
    assert (registrar.counts.articles, registrar.counts.duplicates) == (1, 1)
