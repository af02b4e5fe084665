"""The logs that every contract is run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from ingest.log import Log
from ingest.sqlite_log import SqliteLog


class MakeLog(Protocol):
    """Opens a log; each call opens the same storage again."""

    def __call__(self) -> Log: ...


@pytest.fixture(params=["sqlite", "kafka", "kafka-static"])
def make_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLog]:
    """A log of each kind; Kafka's with passing and with lasting names of group members."""
    opened: list[Log] = []
    prefix = f"contracts.{uuid4().hex[:8]}."

    def open_sqlite() -> Log:
        return SqliteLog(tmp_path / "log.sqlite")

    def open_kafka() -> Log:
        pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
        from ingest.kafka_log import KafkaLog  # noqa: PLC0415  needs the extra
        from ingest.kafka_settings import KafkaSettings  # noqa: PLC0415  as above

        member = "worker" if request.param == "kafka-static" else ""
        address: str = request.getfixturevalue("kafka")
        return KafkaLog(KafkaSettings(bootstrap=address, prefix=prefix, member=member))

    def make() -> Log:
        opened.append((open_sqlite if request.param == "sqlite" else open_kafka)())
        return opened[-1]

    yield make
    for log in opened:
        log.close()


@pytest.fixture
def log(make_log: MakeLog) -> Log:
    return make_log()


@pytest.fixture
def topic() -> str:
    """A name that no other test uses: servers outlive a test."""
    return f"test-{uuid4().hex[:12]}"
