"""Tagging as a Faust agent, in processes of its own, on a real Kafka."""

from __future__ import annotations

import itertools
import re
import signal
import socket
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("faust", reason="the extra for Kafka is not installed")

from ingest.article import Cause
from ingest.log import NewRecord, Partition, Record, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode
from processors.agent_worker import BROKEN
from processors.records import Tagged
from processors.worker import Tagger
from tests.made_up_news import newsroom, sighting
from tests.processors.test_pipeline import TEXT
from tests.tagging_workers import SESSION_SECONDS, Tagroom, article, definition


@pytest.fixture
def room(kafka: str, tmp_path: Path) -> Iterator[Tagroom]:
    found = Tagroom(kafka, tmp_path)
    yield found
    found.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def by_key(records: list[Record]) -> dict[str, list[bytes | None]]:
    """What was written of each key, in its order."""
    found = defaultdict(list)
    for record in records:
        found[record.key].append(record.value)
    return dict(found)


def topics_of(records: list[Record], key: str) -> list[list[str]]:
    """The topics of each record of ``key``."""
    found = [decode(Tagged, one.value or b"") for one in records if one.key == key]
    return [[one.topic for one in tagged.topics] for tagged in found]


def rows_of(quarantine: Quarantine) -> list[tuple[str, ...]]:
    found = [
        (row.id, row.stage, row.key, row.topic, row.code, row.why) for row in quarantine.items()
    ]
    return sorted(found)


def test_it_writes_byte_for_byte_what_the_embedded_tagger_writes(
    room: Tagroom, tmp_path: Path
) -> None:
    causes = itertools.cycle(get_args(Cause))
    news = [article(replace(one, cause=next(causes))) for one in newsroom(7, 150)]
    news += [article(sighting("strike", TEXT))]
    news += [NewRecord(topic="articles", key="bad", value=value) for value in (b"{", b"", None)]
    embedded = SqliteLog(tmp_path / "log.sqlite")
    embedded.ensure_topics(topic_specs())
    aside = Quarantine(embedded, tmp_path / "embedded")
    for log in (embedded, room.log):
        log.append([definition(2), *news])
    Tagger(embedded, quarantine=aside).step(0)
    room.start()
    room.wait_for(lambda: room.committed() == len(news))
    assert by_key(room.tagged()) == by_key(embedded.read(Partition("tagged"), 0))
    assert topics_of(room.tagged(), "strike") == [["dock-strikes"]]
    assert rows_of(Quarantine(room.log, tmp_path / "other")) == rows_of(aside)
    assert len(rows_of(aside)) == 2
    embedded.close()


def test_a_changed_topic_is_in_force_for_the_next_article_without_a_restart(room: Tagroom) -> None:
    room.start()
    room.append([sighting("a", TEXT)])
    room.wait_for(lambda: room.tagged_keys()["a"] == 1)
    room.log.append([definition(2)])
    room.append([sighting("b", TEXT)])
    room.wait_for(lambda: room.tagged_keys()["b"] == 1)
    room.log.append([NewRecord(topic="topics", key="dock-strikes.en", value=None)])
    room.append([sighting("c", TEXT)])
    room.wait_for(lambda: room.tagged_keys()["c"] == 1)
    found = [topics_of(room.tagged(), key) for key in "abc"]
    assert found == [[[]], [["dock-strikes"]], [[]]]


def test_f34_sigterm_ends_an_idle_worker_at_once_and_one_at_work_after_its_batch(
    room: Tagroom,
) -> None:
    idle = room.start()
    room.append([sighting("a", TEXT)])
    room.wait_for(lambda: room.tagged_keys()["a"] == 1)
    idle.process.send_signal(signal.SIGTERM)
    assert idle.ended(10) == 0
    busy = room.start(point="K3", deed="dawdle")
    room.append([sighting("b", TEXT)])
    room.wait_for(lambda: "dawdling" in busy.said())
    busy.process.send_signal(signal.SIGTERM)
    assert busy.ended(10) == 0
    assert room.committed() == 2
    assert room.tagged_keys() == {"a": 1, "b": 1}
    assert "Traceback" not in room.said()


def test_two_workers_share_the_partitions_and_the_dead_ones_move(room: Tagroom) -> None:
    first, second = room.start("one"), room.start("two")
    news = newsroom(3, 400)
    room.wait_for(lambda: [len(one.partitions()) for one in (first, second)] == [2, 2])
    room.append(news[:200])
    room.wait_for(lambda: room.committed() == 200)
    assert first.partitions() | second.partitions() == {0, 1, 2, 3}
    second.process.kill()
    second.process.wait()
    room.append(news[200:])
    seconds = room.wait_for(lambda: room.committed() == 400)
    print(f"taken over {seconds:.1f} s after the kill; session {SESSION_SECONDS:g} s")
    assert set(room.tagged_keys()) == {one.article.id for one in news}


def test_a_silent_worker_says_so_and_ends_to_be_started_again(room: Tagroom) -> None:
    port = free_port()
    stage = {"metrics_port": port, "silent_seconds": 4}
    worker = room.start(stage=stage, point="K3", deed="hang", times=2)
    room.append([sighting("a", TEXT)])
    room.wait_for(lambda: room.committed() == 1)
    room.wait_for(lambda: figure(port, "lag") == 0)
    assert asked(port, "/healthz") == (200, "ok\n")
    assert figure(port, "records_total") == 1
    assert figure(port, "healthy") == 1
    assert asked(port, "/secrets")[0] == 404
    room.append([sighting("b", TEXT)])
    room.wait_for(lambda: figure(port, "lag") == 1)
    assert figure(port, "last_ack_seconds") > 0
    assert worker.ended() == BROKEN
    assert "acknowledged nothing for more than 4 s, while 1 records wait" in worker.said()
    assert room.committed() == 1


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figure(port: int, name: str) -> float:
    """A figure of the stage tag."""
    _, text = asked(port, "/metrics")
    found = re.search(rf'^wirewatch_stage_{name}{{stage="tag"}} (.+)$', text, re.MULTILINE)
    assert found, text
    return float(found[1])
