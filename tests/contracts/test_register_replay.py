"""The register is a function of its log: killed, doubled or delivered twice, the same stories."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest.article import Sighting
from ingest.log import Log, NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.pipeline import tag
from processors.records import StoryLink, StoryRecord, Tagged
from processors.restoring import restored
from processors.settings import StoriesSettings
from processors.topics import TopicEngine
from processors.worker import Registrar, Tagger
from tests.made_up_news import START, converging, newsroom, sighting

ENGINE = TopicEngine(())
OUTPUTS = ("decisions", "stories", "story-links")
WINDOW = StoriesSettings(window_hours=6)


class Killed(BaseException):
    """Not an Exception: nothing between the crash point and the test may catch it."""


def kill_at(chance: float, rng: random.Random) -> Callable[[str], None]:
    def crash_point(_: str) -> None:
        if rng.random() < chance:
            raise Killed

    return crash_point


class Clock:
    """Half an hour passes between two appends, so that the window slides."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self) -> None:
        self.now += timedelta(minutes=30)


def tagged(seen: Sighting) -> Tagged:
    """Made-up words are in no language: without this each text would be guessed another one."""
    record = tag(seen, engine=ENGINE)
    return replace(record, article=replace(record.article, language="en"))


def fill(log: Log, clock: Clock, seed: int, *, times: int = 1) -> None:
    """Append made-up tagged records; ``times`` of each, as after a crash of the tagger."""
    log.ensure_topics(topic_specs())
    for seen in newsroom(seed, 60):
        record = tagged(seen)
        new = NewRecord(topic="tagged", key=record.article.id, value=encode(record))
        log.append([new] * times)
        clock.go_on()


def drain(log: Log, folder: Path, crash_point: Callable[[str], None] = lambda _: None) -> None:
    """Run a register to the end, with a new one after each time it was killed."""
    quarantine = Quarantine(log, folder)
    while True:
        registrar = Registrar(log, WINDOW, quarantine=quarantine, crash_point=crash_point)
        try:
            while registrar.step(0):
                pass
        except Killed:
            continue
        else:
            return
        finally:
            registrar.loop.close()


def written(log: Log) -> dict[str, list[tuple[int, str, bytes | None]]]:
    """All that was ever written, not only what is kept of each key."""
    return {
        topic: [(r.offset, r.key, r.value) for r in log.read(Partition(topic), 0, max_records=9999)]
        for topic in OUTPUTS
    }


def last(log: Log) -> dict[str, dict[str, bytes | None]]:
    """What is kept of each key."""
    return {topic: {r.key: r.value for r in log.table(topic).items()} for topic in OUTPUTS}


def grouping(log: Log) -> dict[str, tuple[object, ...]]:
    """What a reader sees of each article, without offsets and times."""
    found: dict[str, tuple[object, ...]] = {}
    for record in log.table("stories").items():
        assert record.value is not None
        story = decode(StoryRecord, record.value)
        assert story.copy_of != story.article.id
        found[record.key] = (
            story.article.revision,
            story.article.text,
            story.article.feeds,
            story.story_id,
            story.copy_of,
            [revision.text for revision in story.revisions],
        )
    return found


@pytest.fixture(params=range(4))
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def make(path: Path, clock: Clock) -> SqliteLog:
    path.mkdir()
    return SqliteLog(path / "log.sqlite", clock=clock)


def test_f65_a_register_killed_anywhere_writes_the_same_records(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = Clock(), Clock()
    whole, broken = make(tmp_path / "whole", clocks[0]), make(tmp_path / "broken", clocks[1])
    fill(whole, clocks[0], seed)
    fill(broken, clocks[1], seed)
    drain(whole, tmp_path / "q")
    rng = random.Random(seed)
    monkeypatch.setattr("processors.loop.BATCH", 3)
    drain(broken, tmp_path / "q", kill_at(0.4, rng))
    assert written(broken) == written(whole)
    assert any(row[2] for row in written(whole)["stories"])


def test_f65_decisions_written_before_a_lost_commit_are_taken_again_identically(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Kafka: outputs of the last batch stand in part, and the offset was not stored."""
    clock = Clock()
    log = make(tmp_path / "log", clock)
    fill(log, clock, seed)
    monkeypatch.setattr("processors.loop.BATCH", 7)
    registrar = Registrar(log, WINDOW, quarantine=Quarantine(log, tmp_path / "q"))
    committed = [0]
    while registrar.step(0):
        committed.append(log.committed("register", Partition("tagged")) or 0)
    registrar.loop.close()
    final = last(log)
    for offset in random.Random(seed).sample(committed, 4):
        log.reset_group("register", {Partition("tagged"): offset})
        drain(log, tmp_path / "q")
        again = last(log)
        assert again == final, offset


@pytest.mark.parametrize("trial", range(6))
def test_f65_a_batch_written_in_part_and_in_any_order_comes_out_the_same(
    seed: int, trial: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka takes the records of several topics at once: a story may stand without its decision."""
    monkeypatch.setattr("processors.loop.BATCH", 7)
    clocks = Clock(), Clock()
    whole, broken = make(tmp_path / "whole", clocks[0]), make(tmp_path / "broken", clocks[1])
    for log, clock in zip((whole, broken), clocks, strict=True):
        fill(log, clock, seed)
    drain(whole, tmp_path / "q")
    rng = random.Random(10 * seed + trial)
    registrar = Registrar(broken, WINDOW, quarantine=Quarantine(broken, tmp_path / "q"))
    for _ in range(rng.randrange(6)):
        registrar.step(0)
    registrar.loop.close()
    for topic, rows in written(whole).items():
        begin = broken.bounds(Partition(topic))[1]
        lost = rows[begin : begin + rng.randrange(8)]
        broken.append([NewRecord(topic=topic, key=key, value=value) for _, key, value in lost])
    drain(broken, tmp_path / "q")
    assert last(broken) == last(whole)


def test_f65_every_record_twice_gives_the_same_stories(seed: int, tmp_path: Path) -> None:
    clocks = Clock(), Clock()
    once, twice = make(tmp_path / "once", clocks[0]), make(tmp_path / "twice", clocks[1])
    fill(once, clocks[0], seed)
    fill(twice, clocks[1], seed, times=2)
    drain(once, tmp_path / "q")
    drain(twice, tmp_path / "q")
    assert grouping(twice) == grouping(once)


def test_f65_deliveries_out_of_step_give_the_same_stories(seed: int, tmp_path: Path) -> None:
    clocks = Clock(), Clock()
    plain = make(tmp_path / "plain", clocks[0])
    (tmp_path / "odd").mkdir()
    odd = SqliteLog(tmp_path / "odd" / "log.sqlite", clock=clocks[1], shuffle=random.Random(seed))
    fill(plain, clocks[0], seed)
    fill(odd, clocks[1], seed)
    drain(plain, tmp_path / "q")
    drain(odd, tmp_path / "q")
    assert written(odd) == written(plain)


def test_f65_two_registers_at_once_write_what_one_writes(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.loop.BATCH", 5)
    clocks = Clock(), Clock()
    one, two = make(tmp_path / "one", clocks[0]), make(tmp_path / "two", clocks[1])
    fill(one, clocks[0], seed)
    fill(two, clocks[1], seed)
    drain(one, tmp_path / "q")
    quarantine = Quarantine(two, tmp_path / "q")
    first = Registrar(two, WINDOW, quarantine=quarantine)
    first.step(0)
    second = Registrar(two, WINDOW, quarantine=quarantine)
    while first.step(0) + second.step(0):
        pass
    first.loop.close()
    while second.step(0):
        pass
    assert written(two) == written(one)


def test_the_window_is_read_back_from_recent_decisions_only(tmp_path: Path) -> None:
    clock = Clock()
    log = make(tmp_path / "log", clock)
    fill(log, clock, 1)
    drain(log, tmp_path / "q")
    _, decisions = restored(log, group="register", hours=6)
    assert 0 < len(decisions) <= 12
    assert [d.placed for d in decisions] == sorted(d.placed for d in decisions)


def test_tagging_restarted_anywhere_loses_and_doubles_nothing(
    make_log: Callable[..., Log], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.loop.BATCH", 4)
    log = make_log()
    log.ensure_topics(topic_specs())
    made = newsroom(3, 50)
    log.append([NewRecord(topic="articles", key=s.article.id, value=encode(s)) for s in made])
    quarantine, rng = Quarantine(log, tmp_path / "q"), random.Random(3)
    done = False
    while not done:
        tagger = Tagger(log, quarantine=quarantine, crash_point=kill_at(0.3, rng))
        try:
            while log.bounds(Partition("tagged"))[1] < len(made):
                tagger.step(0.2)
            while tagger.step(0.2):
                pass
            done = True
        except Killed:
            pass
        finally:
            tagger.loop.close()
    records = log.read(Partition("tagged"), 0, max_records=999)
    assert [record.key for record in records] == [seen.article.id for seen in made]


def test_f65_merges_are_known_again_after_every_start(tmp_path: Path) -> None:
    logs = []
    for folder, stops in (("whole", 99), ("broken", 1)):
        log = make(tmp_path / folder, Clock())
        log.ensure_topics(topic_specs())
        records = [
            tagged(sighting(f"a{number}", text))
            for number, text in enumerate([*converging(4), *converging(4)[:2]])
        ]
        edits = [tagged(sighting(f"a{n}", "Edited.", minutes=1)) for n in range(3)]
        for start in range(0, len(records + edits), stops):
            for record in (records + edits)[start : start + stops]:
                key = record.article.id
                log.append([NewRecord(topic="tagged", key=key, value=encode(record))])
            drain(log, tmp_path / "q")
        logs.append(log)
    whole, broken = logs
    assert written(broken) == written(whole)
    links = [decode(StoryLink, r.value or b"") for r in whole.table("story-links").items()]
    assert [(link.story_id, link.survivor) for link in links] == [("a1", "a0")]
    edited = whole.table("stories").get("a1")
    assert edited is not None
    story = decode(StoryRecord, edited.value or b"")
    assert (story.story_id, story.absorbed) == ("a0", ("a1",))
    final = last(whole)
    for offset in (0, 1, 4, 9, 14):
        whole.reset_group("register", {Partition("tagged"): offset})
        drain(whole, tmp_path / "q")
        again = last(whole)
        assert again == final, offset


def arrived(log: Log, *, times: int = 1) -> None:
    """``tagged`` as it is on either log, whose clocks are real: nothing leaves the window."""
    log.ensure_topics(topic_specs())
    made = [tagged(seen) for seen in newsroom(2, 60)]
    new = [NewRecord(topic="tagged", key=one.article.id, value=encode(one)) for one in made]
    log.append([record for record in new for _ in range(times)])


def done(log: Log) -> bool:
    place = Partition("tagged")
    return log.committed("register", place) == log.bounds(place)[1]


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, tuple[object, ...]]:
    (tmp_path / "plain").mkdir()
    log = SqliteLog(tmp_path / "plain" / "log.sqlite")
    arrived(log)
    drain(log, tmp_path / "q")
    return grouping(log)


@pytest.mark.parametrize(("chance", "times"), [(0.25, 1), (0.0, 2)], ids=["killed", "twice"])
def test_f65_either_log_gives_the_stories_of_an_undisturbed_register(
    chance: float,
    times: int,
    *,
    make_log: Callable[[], Log],
    undisturbed: dict[str, tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("processors.loop.BATCH", 10)
    log, rng = make_log(), random.Random(2)
    arrived(log, times=times)
    quarantine = Quarantine(log, tmp_path / "q")
    while not done(log):
        registrar = Registrar(log, quarantine=quarantine, crash_point=kill_at(chance, rng))
        try:
            while not done(log):
                registrar.step(0.2)
        except Killed:
            pass  # and another one takes its place
        finally:
            registrar.loop.close()
    assert grouping(log) == undisturbed


def test_f65_either_log_gives_the_stories_of_one_register_where_two_run(
    make_log: Callable[[], Log],
    undisturbed: dict[str, tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two in turn, with small batches: no late commit moves the place of their group back."""
    monkeypatch.setattr("processors.loop.BATCH", 5)
    log = make_log()
    arrived(log)
    quarantine = Quarantine(log, tmp_path / "q")
    first = Registrar(log, quarantine=quarantine)
    while not first.step(0.2):
        pass
    second = Registrar(log, quarantine=quarantine)
    places = [0]
    while not done(log):
        for one in (first, second):
            one.step(0.1)
            places.append(log.committed("register", Partition("tagged")) or 0)
    first.loop.close()
    second.loop.close()
    assert places == sorted(places)
    assert grouping(log) == undisturbed
