"""How topics, groups and partitions of ours are called in Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition

from ingest.log import Partition, Record


@dataclass(frozen=True, slots=True)
class Names:
    """Our names with ``prefix``, which keeps them apart from others in the cluster."""

    prefix: str

    def topic(self, name: str) -> str:
        """The topic ``name`` in Kafka; groups follow the same rule."""
        return self.prefix + name

    def own_topic(self, name: str) -> str:
        """Kafka's ``name`` of a topic as ours."""
        return name.removeprefix(self.prefix)

    def is_ours(self, topic: str) -> bool:
        """Whether ``topic`` of Kafka is one of ours."""
        return topic.startswith(self.prefix)

    def place(self, partition: Partition) -> TopicPartition:
        """``partition`` in Kafka."""
        return TopicPartition(self.prefix + partition.topic, partition.number)

    def partition(self, place: TopicPartition) -> Partition:
        """Kafka's ``place`` as ours."""
        return Partition(self.own_topic(place.topic), place.partition)

    def partitions(self, places: Iterable[TopicPartition]) -> frozenset[Partition]:
        """Kafka's ``places`` as ours."""
        return frozenset(map(self.partition, places))

    def offsets(self, offsets: Mapping[Partition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
        """Next offsets in the shape of a commit."""
        return {
            self.place(partition): OffsetAndMetadata(offset, "", -1)  # no leader epoch known
            for partition, offset in offsets.items()
        }

    def record(self, partition: Partition, message: Any) -> Record:
        """A message that a consumer gave, as a record."""
        return Record(
            partition=partition,
            offset=message.offset,
            key=(message.key or b"").decode(errors="replace"),  # others may write here too
            value=message.value,
            appended=datetime.fromtimestamp(message.timestamp / 1000, UTC),
        )
