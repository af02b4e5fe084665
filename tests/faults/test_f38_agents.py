"""F38: kills, rebalances and repeats under tagging agents lose nothing and commit nothing early."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("faust", reason="the extra for Kafka is not installed")

from processors.agent_worker import BROKEN
from processors.tagging_process import MAX_RECORDS
from tests.made_up_news import newsroom, sighting
from tests.processors.test_pipeline import TEXT
from tests.tagging_workers import Tagroom

COUNT = 3 * MAX_RECORDS


@pytest.fixture
def room(kafka: str, tmp_path: Path) -> Iterator[Tagroom]:
    found = Tagroom(kafka, tmp_path)
    yield found
    found.close()


def articles(count: int = COUNT) -> list[str]:
    return [f"a{number}" for number in range(count)]


def fill(room: Tagroom) -> None:
    room.append([sighting(name, TEXT) for name in articles()])


def test_f38_what_was_written_and_not_acknowledged_is_written_again_and_nothing_is_lost(
    room: Tagroom,
) -> None:
    fill(room)
    first = room.start(member="w", point="K3-written", deed="kill")
    assert first.ended() == -9
    written = room.tagged_keys()
    assert sum(written.values()) > 0
    assert room.committed() == 0
    room.start(member="w")
    room.wait_for(lambda: set(room.tagged_keys()) == set(articles()))
    room.wait_for(lambda: room.waiting() == 0)
    again = {name for name, times in room.tagged_keys().items() if times > 1}
    assert again == set(written)


@pytest.mark.parametrize("deed", ["kill", "break"])
def test_f38_what_ends_a_worker_before_it_wrote_leaves_no_trace(deed: str, room: Tagroom) -> None:
    fill(room)
    worker = room.start(point="K3", times=1, deed=deed)
    assert worker.ended() == (-9 if deed == "kill" else BROKEN)
    assert ("nobody foresaw this" in worker.said()) == (deed == "break")
    assert room.tagged() == []
    assert room.committed() == 0


def test_f38_workers_that_come_are_killed_and_leave_lose_nothing(room: Tagroom) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    news = newsroom(seed, 600)
    expected = {one.article.id for one in news}
    live = [room.start(f"w{number}") for number in range(2)]
    for part in range(0, 600, 200):
        room.append(news[part : part + 200])
        reached = room.committed()
        room.wait_for(lambda at=reached: room.committed() > at)  # type: ignore[misc]  # a default
        gone = live.pop(chance.randrange(len(live)))
        if chance.random() < 0.3:
            gone.process.terminate()
        else:
            gone.process.kill()
        gone.process.wait()
        live.append(room.start(f"w{2 + part}"))
    room.wait_for(lambda: room.waiting() == 0)
    found = room.tagged_keys()
    assert set(found) == expected
    print(f"{sum(found.values()) - len(news)} written twice of {len(news)}")
    assert "acknowledged nothing" not in room.said()
