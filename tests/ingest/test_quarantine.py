from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import quarantine as module
from ingest.errors import NotFoundError, UnavailableError
from ingest.log import MAX_RECORD_BYTES, NewRecord, TopicSpec
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path / "log.sqlite", clock=clock)
    log.ensure_topics([TopicSpec(name="quarantine", retention_days=90)])
    yield log
    log.close()


@pytest.fixture
def quarantine(log: SqliteLog, tmp_path: Path) -> Quarantine:
    return Quarantine(log, tmp_path / "quarantine")


def put(
    quarantine: Quarantine, body: bytes = b"<rss", *, key: str = "feed 1", now: datetime = NOW
) -> NewRecord | None:
    return quarantine.put(
        "poll", why="This is not a feed.", code="unreadable", key=key, body=body, now=now
    )


def keep(log: SqliteLog, record: NewRecord | None) -> str:
    assert record is not None
    log.append([record])
    return record.key


def test_what_was_set_aside_is_listed_with_who_when_where_and_why(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    name = keep(log, put(quarantine))
    (found,) = quarantine.items()
    assert (found.id, found.stage, found.at, found.key) == (name, "poll", NOW, "feed 1")
    assert (found.why, found.code, found.tries) == ("This is not a feed.", "unreadable", 1)
    assert (found.state, found.size, found.bytes) == ("open", 4, "")
    assert quarantine.get(name).bytes
    assert quarantine.bytes_of(name) == b"<rss"


def test_nothing_is_listed_before_its_record_is_appended(quarantine: Quarantine) -> None:
    assert put(quarantine) is not None
    assert quarantine.items() == []


def test_the_same_body_again_is_one_item_and_one_record_a_day(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    name = keep(log, put(quarantine))
    for minutes in range(15, 23 * 60, 15):
        assert put(quarantine, now=NOW + timedelta(minutes=minutes)) is None
    assert keep(log, put(quarantine, now=NOW + timedelta(days=1))) == name
    (found,) = quarantine.items()
    assert found.tries == 2
    assert found.at == NOW + timedelta(days=1)


def test_another_body_another_key_or_another_stage_is_another_item(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    keep(log, put(quarantine))
    keep(log, put(quarantine, b"<rdf"))
    keep(log, put(quarantine, key="feed 2"))
    keep(log, quarantine.put("tag", why="x", code="record", key="feed 1", body=b"<rss", now=NOW))
    assert len(quarantine.items()) == 4


def test_what_was_retried_and_fails_again_is_open_again_at_once(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    name = keep(log, put(quarantine))
    quarantine.mark_retried(name)
    assert quarantine.get(name).state == "retried"
    keep(log, put(quarantine, now=NOW + timedelta(minutes=1)))
    found = quarantine.get(name)
    assert (found.state, found.tries) == ("open", 2)


def test_what_a_person_dropped_stays_dropped(log: SqliteLog, quarantine: Quarantine) -> None:
    name = keep(log, put(quarantine))
    quarantine.drop(name)
    assert put(quarantine, now=NOW + timedelta(days=3)) is None
    (found,) = quarantine.items()
    assert found.state == "dropped"


def test_what_was_dropped_cannot_be_dropped_again(log: SqliteLog, quarantine: Quarantine) -> None:
    name = keep(log, put(quarantine))
    quarantine.mark_retried(name)
    quarantine.drop(name)
    with pytest.raises(NotFoundError) as caught:
        quarantine.drop(name)
    assert "nothing to drop" in caught.value.sentence
    assert quarantine.get(name).state == "dropped"


def test_what_was_retried_in_vain_is_open_again_and_once_more_tried(
    log: SqliteLog, quarantine: Quarantine
) -> None:
    name = keep(log, put(quarantine))
    other = keep(log, put(quarantine, key="feed 2"))
    later = NOW + timedelta(minutes=1)
    assert quarantine.failed_again("poll", "feed 1", now=later, to=()) == ()
    quarantine.mark_retried(name)
    quarantine.mark_retried(other)
    (again,) = quarantine.failed_again("poll", "feed 1", now=later, to=())
    same = put(quarantine, now=later)
    assert same is not None
    assert quarantine.failed_again("poll", "feed 1", now=later, to=(same,)) == (same,)
    keep(log, again)
    found = quarantine.get(name)
    assert (found.state, found.tries, found.at) == ("open", 2, later)
    assert quarantine.bytes_of(name) == b"<rss"
    assert quarantine.get(other).state == "retried"
    assert quarantine.failed_again("poll", "feed 1", now=later, to=()) == ()


def test_an_unknown_id_is_one_sentence(quarantine: Quarantine) -> None:
    for call in (quarantine.get, quarantine.bytes_of, quarantine.drop, quarantine.mark_retried):
        with pytest.raises(NotFoundError):
            call("none")


def test_a_large_body_fits_into_a_record_and_lies_whole_in_the_folder(
    log: SqliteLog, quarantine: Quarantine, tmp_path: Path
) -> None:
    body = random.Random(1).randbytes(16_000_000)
    record = put(quarantine, body)
    assert record is not None
    assert len(record.value or b"") < MAX_RECORD_BYTES
    name = keep(log, record)
    assert quarantine.get(name).size == 16_000_000
    assert quarantine.bytes_of(name) == body[:15_000_000]
    for file in (tmp_path / "quarantine").iterdir():
        file.unlink()
    assert quarantine.bytes_of(name) == body[: 256 * 1024]


def test_a_folder_that_cannot_be_written_is_said(log: SqliteLog, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError) as caught:
        put(Quarantine(log, tmp_path / "file" / "quarantine"))
    assert "quarantine folder" in caught.value.sentence


def test_a_second_view_of_the_same_log_shows_the_same(
    log: SqliteLog, quarantine: Quarantine, tmp_path: Path
) -> None:
    name = keep(log, put(quarantine))
    quarantine.mark_retried(name)
    other = Quarantine(log, tmp_path / "quarantine")
    assert other.items() == quarantine.items()


def test_after_its_retention_an_item_and_its_body_are_gone(
    log: SqliteLog, quarantine: Quarantine, clock: Clock, tmp_path: Path
) -> None:
    keep(log, put(quarantine))
    clock.moment += timedelta(days=91)
    young = keep(log, put(quarantine, b"<rdf", now=clock.moment))
    log.sweep()
    for file in (tmp_path / "quarantine").iterdir():
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    assert [item.id for item in quarantine.items()] == [young]
    assert quarantine.clean(clock.moment) == 1
    assert quarantine.bytes_of(young) == b"<rdf"
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_a_body_whose_record_is_still_on_its_way_is_not_cleaned(quarantine: Quarantine) -> None:
    put(quarantine)
    assert quarantine.clean(datetime.now(UTC)) == 0
    assert quarantine.clean(datetime.now(UTC) + timedelta(hours=2)) == 1


def test_above_the_folders_limit_the_oldest_bodies_go(
    log: SqliteLog, quarantine: Quarantine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLDER_BYTES", 2_500)
    names = [keep(log, put(quarantine, b"%d" % n * 1_000)) for n in range(4)]
    for age, name in enumerate(names):
        file = tmp_path / "quarantine" / quarantine.get(name).sha256
        os.utime(file, (NOW.timestamp() + age, NOW.timestamp() + age))
    assert quarantine.clean(NOW) == 2
    assert len(list((tmp_path / "quarantine").iterdir())) == 2
    assert [len(quarantine.bytes_of(name)) for name in names] == [1_000] * 4


def test_a_folder_that_was_never_used_needs_no_cleaning(quarantine: Quarantine) -> None:
    assert quarantine.clean(NOW) == 0
