"""Who of a consumer group owns what, and how far it has come: read in Kafka, nobody is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kafka import KafkaAdminClient

from ingest.errors import UnavailableError
from ingest.kafka_clients import opened
from ingest.kafka_errors import translated
from ingest.kafka_log import KafkaLog
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings
from ingest.log import Partition

GROUPS = {
    "poll": ("poll", "feeds"),
    "tag": ("tag", "articles"),
    "group": ("register", "tagged"),
    "index": ("index", "stories"),
    "alert": ("alert", "subscriptions"),
}
"""By stage: its group, and the topic that its members share."""

WRITTEN = {"poll": "feed-state", "alert": "alert-state"}
"""Stages that commit nothing: each of their shards shows that it works by what it writes."""


class Progress:
    """For one thread. Its questions are answered by nothing while Kafka is away."""

    def __init__(self, log: KafkaLog, settings: KafkaSettings) -> None:
        self._log = log
        self._names = Names(settings.prefix)
        self._settings = settings
        self._admin = opened(KafkaAdminClient, settings)

    def owners(self, kind: str) -> dict[str, frozenset[int]]:
        """By worker: the partitions it was given; empty while they are being spread."""
        group, topic = GROUPS[kind]
        name = self._names.topic(group)
        try:
            with translated(self._settings.bootstrap, "asking for a group"):
                found = self._admin.describe_groups([name])[name]
        except UnavailableError:
            return {}
        if found["group_state"] != "Stable":
            return {}
        return {
            (member["group_instance_id"] or "").rpartition("-")[0]: _of(
                member["member_assignment"], self._names.topic(topic)
            )
            for member in found["members"]
        }

    def reached(self, kind: str, partitions: Collection[int]) -> dict[int, int]:
        """How far the work on ``partitions`` has come; nothing where nobody can say."""
        group, topic = GROUPS[kind]
        try:
            if kind in WRITTEN:
                places = [Partition(WRITTEN[kind], one) for one in partitions]
                return {place.number: self._log.bounds(place)[1] for place in places}
            return {
                one: self._log.committed(group, Partition(topic, one)) or 0 for one in partitions
            }
        except UnavailableError:
            return {}

    def close(self) -> None:
        self._admin.close()


def moved(before: Mapping[int, int], after: Mapping[int, int]) -> bool:
    """Whether work on any partition went on."""
    return any(at > before[number] for number, at in after.items() if number in before)


def _of(assignment: Mapping[str, Any], topic: str) -> frozenset[int]:
    return frozenset(
        number
        for one in assignment["assigned_partitions"]
        if one["topic"] == topic
        for number in one["partitions"]
    )
