"""Alerts into a topic of Kafka, on a real broker."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from kafka import KafkaConsumer, TopicPartition

from ingest.connections import Connections
from ingest.guard import Guard
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from search.alert_settings import AlertSettings
from search.channels import Channels, Delivery
from search.secrets import Secrets
from tests.payloads import matched


@pytest.mark.parametrize("with_kafka", [True, False])
async def test_alerts_land_in_a_topic_below_ours_under_their_ids(
    kafka: str,
    tmp_path: Path,
    with_kafka: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    name = f"desk-{uuid4().hex[:8]}"
    with contextlib.closing(KafkaLog(KafkaSettings(bootstrap=kafka))) as log:
        channels = Channels(
            log,
            connections=Connections(Guard()),
            guard=Guard(),
            secrets=Secrets(tmp_path),
            settings=AlertSettings(),
            with_kafka=with_kafka,
        )
        try:
            for alert in ("first", "second"):
                body = json.dumps(matched(title=alert))
                delivery = Delivery(
                    alert_id=alert, subscription="s", target=f"kafka:{name}", payload=body
                )
                outcome = await channels.deliver(delivery)
                assert (outcome.error == "") == with_kafka
                assert outcome.final != with_kafka
        finally:
            await channels.close()
    if not with_kafka:
        return
    with contextlib.closing(KafkaConsumer(bootstrap_servers=kafka)) as reader:
        place = TopicPartition(f"wirewatch.out.{name}", 0)
        reader.assign([place])
        reader.seek_to_beginning(place)
        found = [one for batch in reader.poll(timeout_ms=20_000).values() for one in batch]
    assert [one.key.decode() for one in found] == ["first", "second"]
    titles = [json.loads(one.value)["data"]["article"]["title"] for one in found]
    assert titles == ["first", "second"]
