"""Replays that follow each other: each runs a stage again once, none brings old topics back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.upkeep import ReplayStage, replayed
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.records import StoryRecord
from processors.worker import Registrar, Tagger, TopicFile
from tests.made_up_news import sighting
from tests.processors.test_pipeline import TEXT, TOPIC

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ARTICLES = 10


@dataclass(frozen=True, kw_only=True)
class Line:
    """Tagging and register over a log."""

    log: SqliteLog
    tagger: Tagger
    registrar: Registrar

    def carry(self) -> None:
        while self.tagger.step(0):
            pass
        while self.registrar.step(0):
            pass

    def sight(self, name: str, text: str = TEXT, *, feed: str = "feed-a", minutes: int = 0) -> None:
        seen = sighting(name, text, feed=feed, minutes=minutes)
        self.log.append([NewRecord(topic="articles", key=name, value=encode(seen))])

    def teach(self, text: str = TOPIC, *, version: int = 2) -> None:
        file = TopicFile(id="dock-strikes", lang="en", version=version, text=text)
        self.log.append([NewRecord(topic="topics", key="dock-strikes.en", value=encode(file))])

    def unlearn(self) -> None:
        self.log.append([NewRecord(topic="topics", key="dock-strikes.en", value=None)])

    def replay(self, stage: ReplayStage) -> int:
        steps = list(replayed(self.log, stage, since=LONG_AGO))
        done, total = steps[-1]
        assert done == total
        assert all(0 <= done <= total for done, total in steps)
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
        return done

    def story(self, name: str) -> StoryRecord:
        record = self.log.table("stories").get(name)
        assert record is not None
        return decode(StoryRecord, record.value or b"")

    def topics(self) -> set[tuple[str, ...]]:
        stories = self.log.table("stories").items()
        read = [decode(StoryRecord, one.value or b"") for one in stories]
        return {tuple(tag.topic for tag in one.topics) for one in read}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics(topic_specs())
    aside = Quarantine(log, tmp_path / "quarantine")
    yield Line(
        log=log, tagger=Tagger(log, quarantine=aside), registrar=Registrar(log, quarantine=aside)
    )
    log.close()


@pytest.fixture
def ten(line: Line) -> Line:
    for number in range(ARTICLES):
        line.sight(f"article-{number}")
    line.carry()
    return line


@pytest.mark.parametrize("carried", [True, False])
def test_replays_that_follow_each_other_do_not_multiply(ten: Line, *, carried: bool) -> None:
    for stage in ("tag", "tag", "tag", "group", "group", "tag", "group"):
        assert ten.replay(stage) == ARTICLES
        if carried:
            ten.carry()


def test_a_new_topic_is_in_force_after_a_replay_and_stays_through_further_ones(ten: Line) -> None:
    ten.teach()
    ten.replay("tag")
    ten.carry()
    assert ten.topics() == {("dock-strikes",)}
    for _ in range(2):
        assert ten.replay("group") == ARTICLES
        ten.carry()
        assert ten.topics() == {("dock-strikes",)}
    ten.unlearn()
    ten.replay("tag")
    ten.carry()
    assert ten.replay("group") == ARTICLES
    ten.carry()
    assert ten.topics() == {()}


def test_old_topics_stay_away_where_the_register_has_not_seen_the_new_ones_yet(ten: Line) -> None:
    ten.teach()
    ten.replay("tag")
    while ten.tagger.step(0):
        pass
    assert ten.replay("group") == ARTICLES
    ten.carry()
    assert ten.topics() == {("dock-strikes",)}


def test_of_an_edited_article_only_the_later_text_goes_through_the_register_again(
    line: Line,
) -> None:
    line.sight("a")
    line.sight("a", TEXT + " A deal is near.", minutes=1)
    line.carry()
    before = line.story("a")
    assert before.article.revision == 2
    assert line.replay("tag") == 2
    line.carry()
    assert line.replay("group") == 1
    line.carry()
    assert line.story("a") == before


def test_what_the_register_never_took_goes_through_it_once_with_all_its_texts(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.upkeep.BATCH", 1)  # each text in a batch of its own
    line.sight("a")
    line.sight("a", TEXT + " A deal is near.", minutes=1)
    while line.tagger.step(0):
        pass
    end = line.log.bounds(Partition("tagged"))[1]
    line.registrar.loop.close()
    line.log.reset_group("register", {Partition("tagged"): end})
    assert line.log.table("stories").get("a") is None
    again = Registrar(line.log, quarantine=Quarantine(line.log, Path("unused")))
    steps = []
    for step in replayed(line.log, "group", since=LONG_AGO):
        steps.append(step)
        again.step(0)  # the register keeps pace
    assert steps[-1] == (2, 2)
    assert line.story("a").article.text.endswith("A deal is near.")
    assert line.replay("group") == 1
