"""Reading Kafka without a group: by offset, by time, and where a partition begins and ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from ingest.kafka_clients import opened
from ingest.kafka_errors import closed, translated, unreachable
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings
from ingest.log import Partition, Record

FETCH_BYTES = 16_000_000
"""One answer of a broker, and one read, stop about there: 500 records may be 450 MB."""

_SLICE_MS = 200

_PROMPT_MS = 10
"""What a broker may hold back an empty answer without a group. We never ask beyond the end, but
the client fetches ahead there, and what is asked next waits behind that: 500 ms by default."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_reader(settings: KafkaSettings, **options: Any) -> KafkaConsumer:
    """A consumer of kafka-python as all of ours are: nothing committed unless asked.

    Without a group, unless ``options`` name one.
    """
    groupless = {"group_id": None, "fetch_max_wait_ms": _PROMPT_MS}
    return opened(
        KafkaConsumer,
        settings,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        fetch_max_bytes=FETCH_BYTES,
        **(groupless | options),
    )


class Reader:
    """One consumer without a group, for any thread."""

    def __init__(self, names: Names, settings: KafkaSettings) -> None:
        self._names = names
        self._settings = settings
        self._timeout_ms = round(settings.answer_seconds * 1000)
        self._lock = threading.Lock()
        self._next: tuple[TopicPartition, int] | None = None
        self._closed = False
        self._client = open_reader(settings)

    def fetch(self, partition: Partition, offset: int, max_records: int) -> list[Record]:
        """Records from ``offset`` on; fewer where they are large.

        Raises:
            UnavailableError: no answer in time.
        """
        place = self._names.place(partition)
        end = self.ends([partition])[partition]
        if offset >= end or max_records < 1:
            return []
        with self._lock, self._translated(partition):
            if self._next != (place, offset):  # else what was fetched ahead is still there
                self._client.assign([place])
                self._client.seek(place, offset)  # where that is gone, the first kept one is next
            self._next = None
            records = self._until(partition, end, max_records)
            if records:
                self._next = (place, records[-1].offset + 1)
        return records

    def bounds(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        """(first kept offset, next offset) of each."""
        begins = self._offsets("beginning_offsets", partitions)
        ends = self.ends(partitions)
        return {one: (begins[one], ends[one]) for one in partitions}

    def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset of each."""
        return self._offsets("end_offsets", partitions)

    def offset_at(self, partition: Partition, moment: datetime) -> int:
        """The first offset appended at ``moment`` or later; else the end."""
        place = self._names.place(partition)
        wanted = -((_EPOCH - moment) // timedelta(milliseconds=1))  # rounded up
        found = self._asked("offsets_for_times", {place: max(0, wanted)}, [partition])
        if found[place] is not None:
            return int(found[place].offset)
        return self.ends([partition])[partition]

    def close(self) -> None:
        """Close the consumer."""
        self._closed = True
        with self._lock:
            self._client.close()

    def _until(self, partition: Partition, end: int, max_records: int) -> list[Record]:
        """Poll up to ``end``, where no record need be: compaction leaves gaps."""
        place = self._names.place(partition)
        found: list[Record] = []
        size = 0
        until = time.monotonic() + self._settings.answer_seconds
        while len(found) < max_records and size < FETCH_BYTES:
            batches = self._client.poll(_SLICE_MS, max_records=max_records - len(found))
            messages = batches.get(place, [])
            found += [self._names.record(partition, one) for one in messages]
            size += sum(len(one.value or b"") for one in messages)
            if (self._client.position(place, timeout_ms=self._timeout_ms) or 0) >= end:
                break
            if messages:
                until = time.monotonic() + self._settings.answer_seconds
            elif time.monotonic() > until:
                raise unreachable(self._settings.bootstrap, f"reading {place} stalled")
        return found

    def _offsets(self, question: str, partitions: Collection[Partition]) -> dict[Partition, int]:
        places = {self._names.place(one): one for one in partitions}
        found = self._asked(question, list(places), partitions)
        return {partition: int(found[place]) for place, partition in places.items()}

    def _asked(
        self, question: str, places: Collection[TopicPartition], partitions: Collection[Partition]
    ) -> Mapping[TopicPartition, Any]:
        """The client's answer, which it may be asked for while another thread polls."""
        for _ in range(2):
            if self._closed:
                raise closed()
            client = self._client
            with self._translated(*partitions):
                try:
                    found: Mapping[TopicPartition, Any] = getattr(client, question)(
                        places, timeout_ms=self._timeout_ms
                    )
                    if all(place in found for place in places):
                        return found
                except KeyError:  # kafka-python's word for a partition that came after it looked
                    pass
            self._renew(client)
        raise unreachable(self._settings.bootstrap, f"no answer for {sorted(partitions)}")

    def _renew(self, client: KafkaConsumer) -> None:
        with self._lock:
            if self._client is client:
                self._client = open_reader(self._settings)
                self._next = None
                client.close()

    def _translated(self, *partitions: Partition) -> AbstractContextManager[None]:
        topics = sorted({self._names.topic(one.topic) for one in partitions})
        return translated(self._settings.bootstrap, f"reading {', '.join(topics)}")
