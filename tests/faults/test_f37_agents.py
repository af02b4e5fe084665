"""F37: a broker that dies under a tagging agent costs a pause and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("faust", reason="the extra for Kafka is not installed")

from deploy.servers.kafka import KafkaServer
from tests.made_up_news import sighting
from tests.processors.test_pipeline import TEXT
from tests.tagging_workers import Tagroom


@pytest.fixture
def room(mortal_kafka: KafkaServer, tmp_path: Path) -> Iterator[Tagroom]:
    found = Tagroom(mortal_kafka.address, tmp_path)
    yield found
    found.close()


def test_f37_a_broker_that_dies_costs_a_pause_and_does_not_hold_up_the_end(
    mortal_kafka: KafkaServer, room: Tagroom
) -> None:
    names = [f"a{number}" for number in range(100)]
    worker = room.start("w")
    room.append([sighting(name, TEXT) for name in names])
    room.wait_for(lambda: room.waiting() == 0)
    mortal_kafka.kill()
    mortal_kafka.start()
    room.append([sighting("late", TEXT)])
    seconds = room.wait_for(lambda: room.tagged_keys()["late"] == 1)
    print(f"tagged {seconds:.1f} s after the first append that the new broker took")
    assert set(room.tagged_keys()) == {*names, "late"}
    room.wait_for(lambda: room.waiting() == 0)
    mortal_kafka.kill()
    worker.process.terminate()
    assert worker.ended(15) == 0  # within ten seconds, on a machine that has time
    assert worker.said().count("Unable connect to node") <= 2
