"""F33, F65: a register is killed in the middle of its work, and the one that stands by goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from kafka import KafkaAdminClient

from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import Log, NewRecord, Partition, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.records import Decision
from tests.contracts.test_register_replay import drain, grouping, tagged
from tests.made_up_news import newsroom
from tests.running import ROOT

TAGGED = Partition("tagged")
HALF, WHOLE = 35, 84


PATIENCE_SECONDS = 90.0


def wait_for(done: Callable[[], bool]) -> float:
    """The seconds until ``done`` holds."""
    start = time.monotonic()
    while not done():
        assert time.monotonic() - start < PATIENCE_SECONDS
        time.sleep(0.1)
    return time.monotonic() - start


@pytest.fixture
def log(kafka: str) -> Iterator[KafkaLog]:
    made = KafkaLog(KafkaSettings(bootstrap=kafka, prefix=f"standby-{uuid4().hex[:8]}."))
    made.ensure_topics(topic_specs())
    yield made
    made.close()


def fill(log: Log, begin: int, end: int) -> None:
    records = [tagged(one) for one in newsroom(5, WHOLE)[begin:end]]
    for record in records:
        log.append([NewRecord(topic="tagged", key=record.article.id, value=encode(record))])


def decided(log: Log) -> dict[str, tuple[object, ...]]:
    """Every decision, without times."""
    found: dict[str, tuple[object, ...]] = {}
    for record in log.table("decisions").items():
        one = decode(Decision, record.value or b"")
        place = (one.story_id, one.copy_of, one.story_began, one.story_size, one.story_sources)
        found[record.key] = (one.order, one.placed, one.revision, one.content_hash, *place)
    return found


def undisturbed(folder: Path) -> SqliteLog:
    log = SqliteLog(folder / "log.sqlite")
    log.ensure_topics(topic_specs())
    fill(log, 0, WHOLE)
    drain(log, folder / "q")
    return log


def start(
    log: KafkaLog, folder: Path, point: str = "none", done: int = 0
) -> subprocess.Popen[bytes]:
    settings = log._settings
    given = (settings.bootstrap, settings.prefix, str(folder), point, str(done))
    command = [sys.executable, "-m", "tests.register_child", *given]
    return subprocess.Popen(command, cwd=ROOT)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("point", ["K4", "records", "K4-written"])
def test_f33_a_standby_register_goes_on_with_the_same_decisions_and_stories(
    point: str, log: KafkaLog, tmp_path: Path
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=log._settings.bootstrap)
    group = f"{log._settings.prefix}register"

    def members() -> int:
        return len(admin.describe_groups([group])[group]["members"])

    first = start(log, tmp_path, point, HALF + 7)
    fill(log, 0, HALF)
    standby = None
    try:
        wait_for(lambda: log.committed("register", TAGGED) == HALF)
        standby = start(log, tmp_path)
        wait_for(lambda: members() == 2)
        fill(log, HALF, WHOLE)
        assert first.wait(PATIENCE_SECONDS) == -9
        seconds = wait_for(lambda: log.committed("register", TAGGED) == WHOLE)
        print(f"the standby was done {seconds:.1f} s after the kill")
        assert standby.poll() is None
    finally:
        for process in (first, standby):
            if process is not None:
                process.kill()
                process.wait()
        admin.close()
    expected = undisturbed(tmp_path)
    assert grouping(log) == grouping(expected)
    assert decided(log) == decided(expected)
    expected.close()
