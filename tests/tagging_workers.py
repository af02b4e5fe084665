"""Tagging workers on a real Kafka: topics, articles, and processes that tag them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from kafka import KafkaAdminClient

from ingest.article import Sighting
from ingest.errors import UnavailableError
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, Record, topic_specs
from ingest.wire import encode
from processors.worker import TopicFile
from tests.processors.test_pipeline import TOPIC

PATIENCE_SECONDS = 40.0
SESSION_SECONDS = 3.0


@dataclass
class Worker:
    """A started process and what it says."""

    process: subprocess.Popen[bytes]
    file: Path

    def said(self) -> str:
        return self.file.read_text()

    def partitions(self) -> set[int]:
        """Those that it said last to have."""
        found = re.findall(r'"partitions assigned".* partitions="?([0-9 ]+|none)"?', self.said())
        return set(map(int, found[-1].split())) if found and found[-1] != "none" else set()

    def ended(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Its exit status."""
        return self.process.wait(seconds)


@dataclass
class Tagroom:
    """A log of its own on the broker at ``address``, and its workers."""

    address: str
    folder: Path
    partitions: int = 4
    prefix: str = field(default_factory=lambda: f"agents-{uuid4().hex[:8]}.")
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = KafkaLog(self.settings())
        self._make_topics(self.log)

    def _make_topics(self, log: KafkaLog) -> None:
        log.ensure_topics(
            [
                replace(spec, partitions=self.partitions) if spec.name == "articles" else spec
                for spec in topic_specs()
            ]
        )

    def empty(self, topic: str) -> None:
        """Delete ``topic`` and make it anew."""
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        admin.delete_topics([self.prefix + topic])
        self.wait_for(lambda: self.prefix + topic not in admin.list_topics())
        admin.close()
        with closing(KafkaLog(self.settings())) as other:  # ours knows the topic that was
            self._make_topics(other)

    def settings(self, member: str = "") -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.address,
            prefix=self.prefix,
            member=member,
            session_seconds=SESSION_SECONDS,
        )

    def start(self, member: str = "", **given: Any) -> Worker:
        """A worker, which need not be at work when this returns."""
        file = self.folder / f"worker-{len(self.workers)}.log"
        whole = {
            "kafka": asdict(self.settings(member)),
            "folder": str(self.folder / "quarantine"),
            **given,
        }
        command = [sys.executable, "-m", "tests.tagging_worker", json.dumps(whole)]
        with file.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        self.workers.append(Worker(process, file))
        return self.workers[-1]

    def append(self, sightings: Sequence[Sighting]) -> None:
        self.log.append([article(one) for one in sightings])

    def tagged(self) -> list[Record]:
        return self.all_of(Partition("tagged"))

    def tagged_keys(self) -> Counter[str]:
        return Counter(record.key for record in self.tagged())

    def all_of(self, partition: Partition) -> list[Record]:
        records: list[Record] = []
        _, end = self.log.bounds(partition)
        while not records or records[-1].offset + 1 < end:
            page = self.log.read(partition, records[-1].offset + 1 if records else 0)
            if not page:
                return records
            records += page
        return records

    def committed(self) -> int:
        """Over all partitions of ``articles``."""
        if not self.has_groups():
            return 0
        return sum(self.log.committed("tag", place) or 0 for place in self.places())

    def has_groups(self) -> bool:
        """Whether the broker can say something of groups; a new one cannot at once."""
        try:
            self.log.committed("tag", self.places()[0])
        except UnavailableError:
            return False
        return True

    def waiting(self) -> int:
        """Articles that are not committed."""
        return sum(self.log.bounds(place)[1] for place in self.places()) - self.committed()

    def places(self) -> list[Partition]:
        return [Partition("articles", number) for number in range(self.partitions)]

    def wait_for(self, what: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> float:
        """The seconds until ``what`` holds; fails with what the workers said."""
        start = time.monotonic()
        while not what():
            assert time.monotonic() - start < seconds, self.said()
            time.sleep(0.05)
        return time.monotonic() - start

    def said(self) -> str:
        return "\n".join(worker.said() for worker in self.workers) or "nobody said anything"

    def close(self) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        self.log.close()


def definition(version: int) -> NewRecord:
    """The one topic of these tests."""
    file = TopicFile(id="dock-strikes", lang="en", version=version, text=TOPIC)
    return NewRecord(topic="topics", key="dock-strikes.en", value=encode(file))


def article(sighting: Sighting) -> NewRecord:
    return NewRecord(topic="articles", key=sighting.article.id, value=encode(sighting))
