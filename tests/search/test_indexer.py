"""The loop from stories to the index."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import NewerSchemaError, UnavailableError
from ingest.log import NewRecord, Partition, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.query import parse
from processors.records import StoryLink, StoryRecord
from search.index import Index, SearchRequest
from search.indexer import COMMIT_SECONDS, QUIET_SECONDS, Indexer
from search.tantivy_index import TantivyIndex
from tests.story_records import stories, story

TRUCE = parse("truce")
STORIES = Partition("stories")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Room:
    """A log, an index and the indexer between them."""

    stories = STORIES

    def __init__(self, folder: Path, index: Index | None = None) -> None:
        self.log = SqliteLog(folder / "log.sqlite")
        self.log.ensure_topics(topic_specs())
        self.quarantine = Quarantine(self.log, folder / "quarantine")
        self.index = index or TantivyIndex(folder / "index")
        self.indexer = Indexer(self.log, self.index, quarantine=self.quarantine)

    def tell(self, *records: StoryRecord) -> None:
        self.log.append(
            [NewRecord(topic="stories", key=r.article.id, value=encode(r)) for r in records]
        )

    def link(self, story_id: str, survivor: str, *, order: int) -> None:
        link = StoryLink(story_id=story_id, survivor=survivor, order=order)
        self.log.append([NewRecord(topic="story-links", key=story_id, value=encode(link))])

    def settle(self) -> None:
        while self.indexer.step(timeout_seconds=0):
            pass

    def close(self) -> None:
        self.indexer.close()
        self.index.close()
        self.log.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    found = Room(tmp_path)
    yield found
    found.close()


def test_stories_are_searchable_once_the_lag_is_zero(room: Room) -> None:
    room.tell(*stories(3))
    assert room.indexer.lag() == 3
    assert room.indexer.step(timeout_seconds=0) == 3
    assert room.indexer.lag() == 0
    assert room.index.count(TRUCE) == 3
    assert room.log.committed("index", STORIES) == 3


def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.tell(*stories(3))
    room.settle()
    room.close()
    room = Room(tmp_path)
    room.tell(*stories(5))
    assert room.indexer.lag() == 5
    assert room.indexer.step(timeout_seconds=0) == 5
    assert room.index.count(TRUCE) == 5
    room.close()


def test_new_articles_and_revisions_are_counted_and_nothing_else(room: Room) -> None:
    first = story("a", "truce", order=1)
    room.tell(
        first, replace(first, order=2, change="revision"), replace(first, order=3, change="feed")
    )
    room.tell(replace(first, order=4, change="retag"))
    room.settle()
    assert (room.indexer.indexed, room.indexer.quarantined) == (2, 0)


def test_a_broken_record_is_set_aside_and_the_rest_flows(room: Room) -> None:
    room.tell(story("a", "truce", order=1))
    room.log.append([NewRecord(topic="stories", key="b", value=b"{broken")])
    other = encode(story("x", "truce", order=3))
    room.log.append([NewRecord(topic="stories", key="other-key", value=other)])
    room.tell(story("c", "truce", order=4))
    room.settle()
    assert room.index.count(TRUCE) == 2
    assert [row.key for row in room.quarantine.items()] == ["b", "other-key"]
    assert {row.stage for row in room.quarantine.items()} == {"index"}
    assert (room.indexer.indexed, room.indexer.quarantined) == (2, 2)
    assert room.indexer.lag() == 0


def test_an_article_that_the_index_refuses_is_set_aside_with_its_bytes(room: Room) -> None:
    bad = story("bad\0id", "truce", order=2)
    room.tell(story("a", "truce", order=1), bad, story("c", "truce", order=3))
    room.settle()
    row = room.quarantine.items()[0]
    assert row.key == "bad\0id"
    assert row.why.startswith("The index refused this article")
    assert room.quarantine.bytes_of(row.id) == encode(bad)
    assert (room.indexer.indexed, room.indexer.quarantined) == (2, 1)
    assert room.indexer.lag() == 0


def test_each_article_and_revision_that_is_refused_counts_once(room: Room) -> None:
    bad = story("bad\0id", "truce", order=1)
    room.tell(bad, replace(bad, order=2, change="revision"), replace(bad, order=3, change="feed"))
    room.settle()
    assert (room.indexer.indexed, room.indexer.quarantined) == (0, 2)


def test_a_record_of_a_newer_version_stops_the_stage(room: Room) -> None:
    room.log.append([NewRecord(topic="stories", key="a", value=b'{"schema": 99}')])
    with pytest.raises(NewerSchemaError):
        room.indexer.step(timeout_seconds=0)


def test_a_merge_moves_what_is_indexed_and_what_comes_later(room: Room) -> None:
    room.tell(story("a", "truce", order=1, story_id="old"))
    room.tell(story("b", "truce", order=2, story_id="young"))
    room.settle()
    room.link("young", "old", order=3)
    room.tell(story("c", "truce", order=4, story_id="young"))
    room.settle()
    assert [one.article.id for one in room.index.story("old")] == ["a", "b", "c"]
    assert room.index.story("young") == []


def test_a_merge_counts_as_lag_until_it_is_applied(room: Room) -> None:
    room.link("young", "old", order=1)
    assert room.indexer.lag() == 1
    room.settle()
    assert room.indexer.lag() == 0


def test_a_restart_knows_the_merges_of_before(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.link("young", "old", order=1)
    room.settle()
    room.close()
    room = Room(tmp_path)
    room.tell(story("c", "truce", order=4, story_id="young"))
    room.settle()
    assert [one.article.id for one in room.index.story("old")] == ["c"]
    room.close()


def test_what_is_missing_comes_back_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.tell(*stories(4))
    room.settle()
    checkpoint = room.index.checkpoint()
    building = room.index.successor()
    building.write(stories(4)[2:], checkpoint=checkpoint)
    building.take_over()
    assert room.index.count(TRUCE) == 2
    assert [*room.indexer.refill(LONG_AGO)][-1] == (4, 4)
    room.settle()
    assert room.index.count(TRUCE) == 4
    assert room.indexer.indexed == 4
    assert room.index.checkpoint() == checkpoint
    room.close()


def test_a_rebuild_tells_how_far_it_is_and_ends_with_the_new_index(room: Room) -> None:
    room.tell(*stories(1200))
    room.link("article-00001", "article-00000", order=5)
    room.settle()
    progress = list(room.indexer.rebuild())
    assert progress == [(500, 1200), (1000, 1200), (1200, 1200), (1200, 1200), (1200, 1200)]
    assert room.index.count(TRUCE) == 1200
    assert len(room.index.story("article-00000")) == 2
    assert room.indexer.lag() == 0
    room.tell(story("late", "truce", order=5000))
    room.settle()
    assert room.index.count(TRUCE) == 1201


def test_a_rebuild_works_where_nothing_was_read_yet(room: Room) -> None:
    room.tell(*stories(3))
    assert list(room.indexer.rebuild())[-1] == (3, 3)
    assert room.index.count(TRUCE) == 3
    assert room.indexer.step(timeout_seconds=0) == 0


def test_searches_and_indexing_go_on_while_the_index_is_rebuilt(room: Room) -> None:
    room.tell(*stories(1800))
    room.settle()
    stop = threading.Event()
    thread = threading.Thread(target=room.indexer.run, args=(stop,), daemon=True)
    thread.start()
    late = 0
    for _ in room.indexer.rebuild():
        assert len(room.index.search(SearchRequest(query=TRUCE)).hits) == 20
        if late < 3:
            room.tell(story(f"late{late}", "truce", order=9000 + late))
            late += 1
    while room.indexer.lag():
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert room.index.count(TRUCE) == 1803


def test_a_rebuild_beside_a_member_that_has_not_read_the_newest_ends_well(room: Room) -> None:
    room.tell(*stories(10))
    room.settle()
    room.tell(story("late", "truce", order=9000))
    assert list(room.indexer.rebuild())[-1] == (11, 11)
    assert room.indexer.step(timeout_seconds=0) == 1
    assert (room.index.count(TRUCE), room.indexer.lag()) == (11, 0)


def test_a_rebuild_that_is_given_up_changes_nothing(room: Room) -> None:
    room.tell(*stories(800))
    room.settle()
    progress = room.indexer.rebuild()
    next(progress)
    with pytest.raises(UnavailableError):
        next(room.indexer.rebuild())
    del progress
    gc.collect()
    assert room.index.count(TRUCE) == 800
    assert list(room.indexer.rebuild())[-1] == (800, 800)


def test_while_little_arrives_commits_keep_a_distance(room: Room) -> None:
    started = time.monotonic()
    for number in range(3):
        room.tell(story(f"a{number}", "truce", order=number))
        assert room.indexer.step(timeout_seconds=0) == 1
    assert time.monotonic() - started >= 2 * QUIET_SECONDS
    assert room.index.count(TRUCE) == 3


def test_records_that_keep_coming_share_a_commit(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    arriving = iter(stories(100))
    pause = time.sleep
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        pause(0.05)
        room.tell(next(arriving))

    started = time.monotonic()
    room.tell(next(arriving))
    assert room.indexer.step(timeout_seconds=0) == 1
    room.tell(next(arriving))
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", wait)
        handled = room.indexer.step(timeout_seconds=0)
    assert time.monotonic() - started >= COMMIT_SECONDS
    assert handled == 1 + len(waits) > 2
    assert max(waits) <= QUIET_SECONDS
    assert room.index.count(TRUCE) == 1 + handled


def test_deleted_keys_are_passed_over(room: Room) -> None:
    room.tell(story("a", "truce", order=1))
    room.log.append([NewRecord(topic="stories", key="gone", value=None)])
    room.settle()
    assert room.indexer.lag() == 0


def test_an_index_of_other_fields_is_built_anew_from_the_log(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.tell(*stories(3))
    room.settle()
    room.close()
    mark = tmp_path / "index" / "1" / "schema.json"
    mark.write_text(mark.read_text().replace('"version": 1', '"version": 0'))
    room = Room(tmp_path)
    assert "built anew" in room.index.outdated
    assert room.index.count(TRUCE) == 0
    room.close()
    room = Room(tmp_path)  # and once more, stopped before anything was read
    assert "built anew" in room.index.outdated
    room.settle()
    assert room.index.count(TRUCE) == 3
    assert room.index.outdated == ""
    assert room.index.health()["state"] == "ok"
    room.close()


def test_times_with_microseconds_are_compared_in_milliseconds(room: Room) -> None:
    record = story("a", "truce", order=1)
    seen = (record.article.seen or stories(1)[0].fetched) + timedelta(microseconds=700)
    room.tell(replace(record, article=replace(record.article, seen=seen)))
    room.settle()
    assert room.index.search(SearchRequest(query=TRUCE, since=seen)).total == 0


def test_while_the_index_cannot_be_written_the_batch_is_kept(tmp_path: Path) -> None:
    room = Room(tmp_path)
    other = TantivyIndex(tmp_path / "index")
    other.write(stories(1))
    room.tell(*stories(4))
    delays = []
    for _ in range(3):
        assert room.indexer.step(timeout_seconds=0) == 0
        delays.append(room.indexer.delay_seconds)
    assert delays == [0.5, 1.0, 2.0]
    assert room.indexer.lag() == 4
    assert "cannot be written" in room.index.health()["state"]
    other.close()
    assert room.indexer.step(timeout_seconds=0) == 4
    assert room.indexer.delay_seconds == 0
    assert room.index.count(TRUCE) == 4
    assert room.indexer.indexed == 4
    room.close()
