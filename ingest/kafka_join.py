"""Joining a consumer group of Kafka: the consumer of kafka-python that a member polls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kafka import KafkaConsumer
from kafka import errors as kafka
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from ingest.errors import WirewatchError
from ingest.kafka_errors import translated
from ingest.kafka_groups import Groups
from ingest.kafka_names import Names
from ingest.kafka_reader import Reader, open_reader
from ingest.kafka_settings import KafkaSettings
from ingest.kafka_shares import Listener, Shares
from ingest.kafka_topics import Topics

_HEARTBEATS = 10
"""In one session; a member learns only by one that the group is to be spread anew."""

_WAIT_MS = 500
"""So long a broker waits for a record before it answers that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The parts of a log that its consumers share."""

    settings: KafkaSettings
    names: Names
    reader: Reader
    groups: Groups
    topics: Topics
    is_closed: Callable[[], bool]


def joined(
    shell: Shell, group: str, topics: Sequence[str], *, shares: Shares, instance: str | None
) -> KafkaConsumer:
    """A consumer that joins ``group`` at its first poll and tells ``shares`` what it gets.

    Raises:
        NotFoundError: there is no such topic.
        UnavailableError: no broker answers in time.
    """
    settings = shell.settings
    session_ms = round(settings.session_seconds * 1000)
    places = [shell.names.place(part) for name in topics for part in shell.topics.all(name)]
    client = open_reader(
        settings,
        group_id=shell.names.topic(group),
        group_instance_id=instance,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // _HEARTBEATS,
        max_poll_interval_ms=round(settings.poll_seconds * 1000),
        fetch_max_wait_ms=_WAIT_MS,
        # Partitions that stay with a member go on while others move.
        partition_assignment_strategy=[CooperativeStickyAssignor()],
    )
    try:
        with translated(settings.bootstrap, f"joining as {group}"):
            client.subscribe(
                [shell.names.topic(name) for name in topics], listener=Listener(shares, client)
            )
            # A member that leads the group before it knows the topics gives nobody anything, and
            # does not always come back to it (kafka-python 3.0.12).
            client.end_offsets(places, timeout_ms=round(settings.answer_seconds * 1000))
    except WirewatchError:
        _dropped(client)
        raise
    return client


def _dropped(client: KafkaConsumer) -> None:
    try:
        client.close(autocommit=False, timeout_ms=0)
    except kafka.KafkaError:
        return  # it was of no use anyway
