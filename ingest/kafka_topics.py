"""The topics of a Kafka log: made, grown and looked up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from kafka import KafkaAdminClient
from kafka import errors as kafka
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

from ingest.errors import ForeignStoreError, NotFoundError, StoreError, UnavailableError
from ingest.kafka_errors import translated
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings
from ingest.log import Partition, TopicSpec

MAX_BATCH_BYTES = 1_048_588
"""Kafka's default of ``max.message.bytes``; set, since a cluster's own default may be lower."""

_KNOWN_SECONDS = 30.0
"""Another process may give a topic more partitions; so soon we see it."""

_SEGMENT = timedelta(days=1)
"""Retention deletes whole segments only; Kafka's default keeps up to a week too much."""

_SAFE_COPIES = 3
"""From so many copies on, one may be missing and an append is still held by two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    partitions: int
    id: UUID
    at: float


class Topics:
    """The topics by name, remembered for half a minute; safe from any thread."""

    def __init__(self, admin: KafkaAdminClient, names: Names, settings: KafkaSettings) -> None:
        self._admin = admin
        self._names = names
        self._settings = settings
        self._known: dict[str, _Known] = {}
        self._ids: dict[str, UUID] = {}

    def ensure(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing, grow what is too small, adopt retention.

        Raises:
            StoreError: a topic is compacted and should not be, or the other way round.
        """
        with translated(self._settings.bootstrap, "making the topics"):
            found = self._found([spec.name for spec in specs])
            for spec in specs:
                if spec.name in found or not self._created(spec):
                    self._adopt(spec)
            self._admin.wait_for_topics(
                [self._names.topic(spec.name) for spec in specs],
                timeout_ms=self._settings.delivery_seconds * 1000,
            )
            found = self._found([spec.name for spec in specs])
            for spec in specs:
                if spec.partitions > found[spec.name]:
                    self._grow(spec)

    def count(self, name: str) -> int:
        """How many partitions the topic has; as last known while no broker answers.

        Raises:
            NotFoundError: there is no such topic.
            UnavailableError: no broker answers, and none ever did.
            ForeignStoreError: it is another topic than before.
        """
        return self._look(name).partitions

    def id(self, name: str) -> UUID:
        """What Kafka named the topic by when it was made (KIP-516). Raises as ``count`` does."""
        return self._look(name).id

    def _look(self, name: str) -> _Known:
        known = self._known.get(name)
        if known is None or time.monotonic() - known.at > _KNOWN_SECONDS:
            try:
                with translated(self._settings.bootstrap, f"looking up {self._names.topic(name)}"):
                    self._found([name])
            except UnavailableError:
                if known is None:
                    raise
                self._known[name] = replace(known, at=time.monotonic())  # not asked at every call
            known = self._known.get(name)
        if known is None:
            raise NotFoundError(
                f"the log has no topic {name!r}",
                sentence=f"Kafka has no topic {self._names.topic(name)}.",
                hint="Make the topics: wirewatch setup.",
            )
        return known

    def all(self, name: str) -> list[Partition]:
        """The partitions of the topic. Raises NotFoundError."""
        return [Partition(name, number) for number in range(self.count(name))]

    def check(self, partition: Partition) -> None:
        """Raise NotFoundError where there is no such partition."""
        if not 0 <= partition.number < self.count(partition.topic):
            raise NotFoundError(f"topic {partition.topic} has no partition {partition.number}")

    def sizes(self) -> Mapping[str, int]:
        """Bytes of each of our topics, all copies; none where a broker does not tell this user."""
        found: Counter[str] = Counter()
        for broker in self._admin.describe_log_dirs():
            for folder in broker["log_dirs"]:
                for topic in folder["topics"]:
                    if self._names.is_ours(topic["name"]):
                        found[topic["name"]] += sum(
                            one["partition_size"] for one in topic["partitions"]
                        )
        return found

    def _found(self, names: Sequence[str]) -> dict[str, int]:
        """The partition counts of those of ``names`` that are there; remembered."""
        ours = {self._names.topic(name): name for name in names}
        found: dict[str, int] = {}
        for described in self._admin.describe_topics(list(ours)):
            name = ours[described["name"]]
            self._known.pop(name, None)
            if described["error_code"] == 0:
                found[name] = len(described["partitions"])
                made = described["topic_id"]
                if self._ids.setdefault(name, made) != made:
                    raise _another(described["name"])
                self._known[name] = _Known(partitions=found[name], id=made, at=time.monotonic())
        return found

    def _created(self, spec: TopicSpec) -> bool:
        """Whether it was made by us, not by another process meanwhile."""
        new = NewTopic(
            self._names.topic(spec.name),
            spec.partitions,
            self._settings.replication,
            topic_configs=_configs(spec, self._settings.replication),
        )
        try:
            self._admin.create_topics([new])
        except kafka.TopicAlreadyExistsError:
            return False
        return True

    def _adopt(self, spec: TopicSpec) -> None:
        name = self._names.topic(spec.name)
        wanted = _configs(spec, self._settings.replication)
        described = self._admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all"
        )
        stands = {key: one["value"] for key, one in described["topic"][name].items()}
        if ("compact" in stands["cleanup.policy"]) != spec.compacted:
            raise StoreError(f"topic {spec.name} cannot change whether it is compacted")
        changed = {key: value for key, value in wanted.items() if stands.get(key) != value}
        if changed:
            self._admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, configs=changed)]
            )

    def _grow(self, spec: TopicSpec) -> None:
        self._admin.create_partitions(
            {self._names.topic(spec.name): NewPartitions(total_count=spec.partitions)}
        )
        until = time.monotonic() + self._settings.delivery_seconds
        while self._found([spec.name]).get(spec.name, 0) < spec.partitions:
            if time.monotonic() > until:
                raise kafka.KafkaTimeoutError(f"{spec.name} did not grow")
            time.sleep(0.1)


def _another(topic: str) -> ForeignStoreError:
    return ForeignStoreError(
        f"the topic {topic} was made anew",
        sentence=f"Kafka's topic {topic} is not the one that this process began with: the log came "
        "back empty.",
        hint="Restore Kafka's data, or begin anew: wirewatch setup, then reindex.",
    )


def _configs(spec: TopicSpec, replication: int) -> dict[str, Any]:
    found = {
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "max.message.bytes": str(MAX_BATCH_BYTES),
        # Not the sender's clock: it may be years off, and retention would believe it.
        "message.timestamp.type": "LogAppendTime",
    }
    if replication >= _SAFE_COPIES:
        found["min.insync.replicas"] = "2"
    if not spec.compacted:
        found["segment.ms"] = str(_milliseconds(_SEGMENT))
        days = spec.retention_days
        kept = -1 if days is None else _milliseconds(timedelta(days=days))
        found["retention.ms"] = str(kept)
    return found


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
