"""F39, F55, F59 under a tagging agent: poison is set aside, what is newer or lost stops it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("faust", reason="the extra for Kafka is not installed")

from ingest.log import NewRecord
from ingest.quarantine import Quarantine
from ingest.wire import SCHEMA
from tests.faults.test_f39_poison import POISON
from tests.made_up_news import sighting
from tests.processors.test_pipeline import TEXT
from tests.tagging_workers import Tagroom, article, definition

FRAGILE = "tests.tagging_targets:fragile"


@pytest.fixture
def room(kafka: str, tmp_path: Path) -> Iterator[Tagroom]:
    found = Tagroom(kafka, tmp_path, partitions=1)
    yield found
    found.close()


def good(name: str) -> NewRecord:
    return article(sighting(name, TEXT))


def newer(record: NewRecord) -> NewRecord:
    value = json.loads(record.value or b"")
    changed = json.dumps({**value, "schema": SCHEMA + 1, "new": "thing"}).encode()
    return NewRecord(topic=record.topic, key=record.key, value=changed)


def test_f39_poison_among_articles_is_set_aside_once_and_both_its_neighbours_are_tagged(
    room: Tagroom, tmp_path: Path
) -> None:
    bad = [NewRecord(topic="articles", key=f"p{n}", value=one) for n, one in enumerate(POISON)]
    bad.append(article(sighting("crash", f"CRASH {TEXT}")))
    mixed = [record for n, one in enumerate(bad) for record in (good(f"a{n}"), one)]
    room.log.append([*mixed, good("last")])
    room.start(target=FRAGILE)
    room.wait_for(lambda: room.waiting() == 0)
    assert [one.key for one in room.tagged()] == [*(f"a{n}" for n in range(len(bad))), "last"]
    quarantine = Quarantine(room.log, tmp_path / "quarantine")
    rows = {row.key: row for row in quarantine.items()}
    assert len(quarantine.items()) == len(bad)
    for one in bad:
        row = rows[one.key]
        assert (row.stage, row.topic, bool(row.why)) == ("tag", "articles", True)
        assert quarantine.bytes_of(row.id) == (one.value or b"")
    assert rows["crash"].code == "not-tagged"
    assert {rows[f"p{n}"].code for n in range(len(POISON))} == {"malformed-record"}


def test_f55_a_newer_article_stops_the_worker_and_is_not_acknowledged(room: Tagroom) -> None:
    room.log.append([good("a"), newer(good("b")), good("c")])
    worker = room.start()
    assert worker.ended() == 1
    assert "This data was made by a newer Wirewatch" in worker.said()
    assert "Upgrade Wirewatch" in worker.said()
    assert "Traceback" not in worker.said()
    assert room.committed() == 0
    assert room.tagged() == []


def test_f55_a_newer_topic_stops_the_worker_before_the_next_article(room: Tagroom) -> None:
    worker = room.start()
    room.log.append([good("a")])
    room.wait_for(lambda: room.waiting() == 0)
    room.log.append([newer(definition(2)), good("b")])
    assert worker.ended() == 1
    assert "This data was made by a newer Wirewatch" in worker.said()
    assert room.committed() == 1
    second = room.start()
    assert second.ended() == 1
    assert "partitions assigned" not in second.said()


def test_f59_a_log_that_is_older_than_what_was_tagged_stops_the_worker(room: Tagroom) -> None:
    room.log.append([good("a"), good("b")])
    room.wait_for(room.has_groups)
    room.log.reset_group("tag", {room.places()[0]: 5})
    worker = room.start()
    assert worker.ended() == 1
    assert "The log is older than what tag has already read" in worker.said()
    assert "(2 records instead of 5)" in worker.said()
    assert "partitions assigned" not in worker.said()
