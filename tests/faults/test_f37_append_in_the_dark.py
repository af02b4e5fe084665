"""F37, the log's part: a broker dies with an append, and is away for longer than we wait."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from deploy.servers.kafka import KafkaServer
from ingest import kafka_topics
from ingest.errors import UnavailableError
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, TopicSpec
from tests.newsroom import until

DELIVERY_SECONDS = 2.0
PATIENCE_SECONDS = 45.0
"""For a future that must not wait for ever."""


@pytest.fixture
def log(mortal_kafka: KafkaServer) -> Iterator[KafkaLog]:
    found = KafkaLog(
        KafkaSettings(bootstrap=mortal_kafka.address, delivery_seconds=DELIVERY_SECONDS)
    )
    found.ensure_topics([TopicSpec(name="news")])
    yield found
    found.close()


def news(text: str) -> NewRecord:
    return NewRecord(topic="news", key="k", value=text.encode())


async def test_f37_an_append_that_was_lost_with_the_broker_blocks_none_after_it(
    mortal_kafka: KafkaServer, log: KafkaLog
) -> None:
    log.append([news("before")])
    os.kill(mortal_kafka.pid, signal.SIGSTOP)
    lost = log.submit([news("lost")])
    await until(lambda: log._producer._producer._sender._client.in_flight_request_count() > 0)
    mortal_kafka.kill()  # the client tries again with what it had sent, until it gives it up
    assert isinstance(lost.exception(PATIENCE_SECONDS), UnavailableError)
    mortal_kafka.start()

    offset = log.submit([news("after")]).result(PATIENCE_SECONDS)[0]
    kept = {record.offset: record.value for record in log.read(Partition("news"), 0)}
    assert kept[0] == b"before"
    assert kept[offset] == b"after"


def test_f37_how_many_partitions_there_are_is_known_while_the_broker_is_away(
    mortal_kafka: KafkaServer, log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.partitions("news") == 1
    mortal_kafka.kill()
    monkeypatch.setattr(kafka_topics, "_KNOWN_SECONDS", 0.0)

    assert log.partitions("news") == 1
    with pytest.raises(UnavailableError):
        log.partitions("never-asked-for")
    mortal_kafka.start()
