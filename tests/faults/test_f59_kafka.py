"""F59 on Kafka: it came back empty, under a process that had read it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.setup import set_up
from ingest import kafka_topics
from ingest.errors import (
    ForeignStoreError,
    NotFoundError,
    UnavailableError,
    WirewatchError,
)
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, TopicSpec
from tests.cluster_scene import Scene, Size, newsroom
from tests.newsroom import until

STORIES = Partition("stories")
ENDS_SECONDS = 150.0


def emptied(server: KafkaServer) -> None:
    server.kill()
    shutil.rmtree(server.folder / "data")
    server.start()


def lasting_error(log: KafkaLog) -> WirewatchError:
    """What the log says once it has reached the server again."""
    until = time.monotonic() + ENDS_SECONDS
    while time.monotonic() < until:
        try:
            log.bounds(STORIES)
        except UnavailableError:
            continue
        except WirewatchError as error:
            return error
    pytest.fail("not noticed")


def test_f59_topics_that_are_not_those_of_before_are_noticed(
    mortal_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_topics, "_KNOWN_SECONDS", 0.0)
    settings = KafkaSettings(bootstrap=mortal_kafka.address)
    log = KafkaLog(settings)
    log.ensure_topics([TopicSpec(name="stories")])
    log.append([NewRecord(topic="stories", key="k", value=b"v")])
    identity = log.identity()
    emptied(mortal_kafka)
    settings = replace(settings, bootstrap=mortal_kafka.address)
    assert isinstance(lasting_error(log), NotFoundError)
    other = KafkaLog(settings)
    other.ensure_topics([TopicSpec(name="stories")])
    assert other.identity() != identity
    error = lasting_error(log)
    assert isinstance(error, ForeignStoreError)
    assert "came back empty" in error.sentence
    with pytest.raises(ForeignStoreError):
        log.append([NewRecord(topic="stories", key="k", value=b"v")])
    assert other.bounds(STORIES) == (0, 0)
    other.close()
    log.close()


@pytest.mark.timeout(600)  # two servers and ten processes
async def test_f59_every_stage_ends_with_a_sentence_and_nobody_is_alerted_again(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    size = Size(feeds=4, listed=50, poll_seconds=2.0)
    async with newsroom(tmp_path, server_files, seed=59, size=size, quick=True) as scene:
        scene.ledger.issue(40)
        scene.crew.start()
        await scene.ready()
        assert await scene.quiet(120) == ""
        alerts = len(scene.book.acknowledged())
        server = scene.servers["kafka"]
        assert isinstance(server, KafkaServer)
        await asyncio.to_thread(emptied, server)
        scene.ledger.issue(10)
        await asyncio.to_thread(set_up_again, scene)
        with contextlib.suppress(TimeoutError):  # the assertion after it says who
            await until(lambda: not running(scene), seconds=ENDS_SECONDS)
        assert running(scene) == {}
        for worker in scene.crew.workers:
            assert worker.running is not None
            assert worker.running.process.returncode not in {0, None}
            assert any(words in worker.running.said() for words in SENTENCES), worker.running.said()
        assert len(scene.book.acknowledged()) == alerts


def set_up_again(scene: Scene) -> None:
    """As a supervisor runs ``wirewatch setup``: a broker that ten clients besiege may be slow."""
    end = time.monotonic() + ENDS_SECONDS
    while True:
        try:
            list(set_up(scene.settings))
        except UnavailableError:
            if time.monotonic() > end:
                raise
        else:
            return


SENTENCES = ("came back empty", "Kafka has no topic", "has lost records", "The log is older")


def running(scene: Scene) -> dict[str, str]:
    """Who still runs, and what it said last."""
    return {
        one.name: one.running.said()[-500:]
        for one in scene.crew.workers
        if one.running is not None and one.running.process.poll() is None
    }
