"""What waits for a worker: the lag that says whether its silence is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("faust", reason="the extra for Kafka is not installed")

from faust.types import TP

from ingest.errors import ForeignStoreError
from ingest.kafka_names import Names
from processors.agent_app import faust_app
from processors.agent_records import Waiting
from tests.made_up_news import sighting
from tests.processors.test_pipeline import TEXT
from tests.tagging_workers import Tagroom


@pytest.fixture
def room(kafka: str, tmp_path: Path) -> Iterator[Tagroom]:
    found = Tagroom(kafka, tmp_path, partitions=2)
    found.wait_for(found.has_groups)
    yield found
    found.close()


def waiting_in(room: Tagroom) -> Waiting:
    app = faust_app(room.settings(), "tag")
    return Waiting(room.log, app, Names(room.prefix), group="tag", topic="articles")


async def assign(waiting: Waiting, room: Tagroom, *numbers: int) -> None:
    """Tell it what Faust would, in Faust's way."""
    places = {TP(f"{room.prefix}articles", number) for number in numbers}
    await waiting.assigned.send(places)


async def test_a_worker_counts_what_is_not_committed_of_its_own_partitions(room: Tagroom) -> None:
    waiting = waiting_in(room)
    room.append([sighting(f"a{number}", TEXT) for number in range(20)])
    ends = [room.log.bounds(place)[1] for place in room.places()]
    assert sum(ends) == 20
    for number in (0, 1):
        await assign(waiting, room, number)
        assert waiting.count() == ends[number]
    room.log.reset_group("tag", {room.places()[1]: 3})
    assert waiting.count() == ends[1] - 3
    await assign(waiting, room, 0, 1)
    assert waiting.count() == 17


async def test_a_standby_counts_nothing_while_others_get_on_and_all_when_nobody_does(
    room: Tagroom,
) -> None:
    waiting = waiting_in(room)
    room.append([sighting(f"a{number}", TEXT) for number in range(20)])
    assert [waiting.count(), waiting.count()] == [0, 20]
    room.log.reset_group("tag", {room.places()[0]: 1})
    assert [waiting.count(), waiting.count()] == [0, 19]
    await assign(waiting, room, 1)
    await assign(waiting, room)
    assert waiting.count() == 19


async def test_f59_articles_made_anew_are_not_what_was_tagged(room: Tagroom) -> None:
    waiting = waiting_in(room)
    room.append([sighting("a", TEXT)])
    place = next(one for one in room.places() if room.log.bounds(one)[1])
    room.log.reset_group("tag", {place: 1})
    assert waiting.count() == 0
    room.empty("articles")
    with pytest.raises(ForeignStoreError) as caught:
        waiting.count()
    assert "(0 records instead of 1)" in caught.value.sentence
