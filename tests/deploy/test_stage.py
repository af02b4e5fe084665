"""A stage as a process: that it ends, and does so only with a reason."""

from __future__ import annotations

import subprocess
import sys
from uuid import uuid4

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from pathlib import Path

from deploy.stage import BROKEN
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, TopicSpec
from ingest.quarantine import Quarantine
from processors.loop import Loop, Stage
from tests.running import ROOT

HANGS = (
    "import threading; from deploy.stage import end_by_force;"
    "end_by_force(0.1); threading.Event().wait()"
)


def test_a_stage_that_hangs_at_its_end_is_cut_off_so_that_it_can_be_started_again() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], cwd=ROOT, timeout=60, check=False)

    assert done.returncode == BROKEN


def test_a_member_that_stands_by_is_not_behind(kafka: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=kafka, prefix=f"standby-{uuid4().hex[:8]}.")
    logs = [KafkaLog(settings) for _ in range(2)]
    logs[0].ensure_topics([TopicSpec(name="news"), TopicSpec(name="quarantine")])
    stage = Stage(name="s", group="s", topic="news", crash_name="K", work=lambda _: [])
    loops = [Loop(log, stage, quarantine=Quarantine(log, tmp_path)) for log in logs]
    while sorted(len(loop._consumer.assignment()) for loop in loops) != [0, 1]:
        for loop in loops:
            loop.step(timeout_seconds=0.2)
    logs[0].append([NewRecord(topic="news", key="k", value=b"v")] * 3)

    assert sorted(loop.lag() for loop in loops) == [0, 3]
    for log in logs:
        log.close()
