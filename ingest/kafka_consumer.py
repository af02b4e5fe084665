"""A member of a consumer group of the Kafka log.

Partitions are taken over on the thread that polls: kafka-python calls a rebalance listener on
its network thread, where any blocking call of the same consumer ends it. There we only note what
came and went, and keep new partitions paused until their place is known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka import errors as kafka
from kafka.admin import MemberToRemove

from ingest.errors import WirewatchError
from ingest.kafka_errors import (
    closed,
    fenced,
    is_spreading,
    older,
    store_error,
    translated,
    unreachable,
)
from ingest.kafka_join import Shell, joined
from ingest.kafka_shares import Shares
from ingest.log import Partition, Record

OnAssign = Callable[[frozenset[Partition]], Mapping[Partition, int]]

_SLICE_SECONDS = 0.25
"""So long a waiting poll holds the consumer before another thread may close it."""

_LOOK_SECONDS = 10.0
"""After so long without a record we ask whether there really is none: kafka-python 3.0.12 says
nothing where the cluster is away, and gives nothing of a topic that was made anew."""


class KafkaMember:
    """A member of ``group``; see ``ingest.log.Consumer``. For one thread, ``close`` for any.

    It connects and joins at the first poll, and again at the next where that failed.
    """

    def __init__(
        self, shell: Shell, group: str, topics: tuple[str, ...], *, on_assign: OnAssign | None
    ) -> None:
        self._shell = shell
        self._group = group
        self._topics = topics
        self._on_assign = on_assign
        self._lock = threading.Lock()
        self._shares = Shares()
        self._client: KafkaConsumer | None = None
        self._gone = ""
        self._looked = time.monotonic()
        self._behind: dict[TopicPartition, int] = {}
        number = shell.groups.join(group, self)
        self._instance = f"{shell.settings.member}-{number}" if shell.settings.member else None

    def poll(self, *, max_records: int = 500, timeout_seconds: float = 1.0) -> list[Record]:
        """New records of the assigned partitions, in order per partition; empty at time-out.

        Raises:
            ForeignStoreError: the log ends before what this group has already read.
            UnavailableError: no broker answers; a cluster that is away shows in ten seconds.
        """
        until = time.monotonic() + timeout_seconds
        self._refuse_gone()
        while not self._gone:
            left = until - time.monotonic()
            with self._lock:
                records = self._round(max_records, min(max(left, 0.0), _SLICE_SECONDS))
            if records or left <= 0:
                self._look(records)
                return records
        return []

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the next offsets.

        While the group is being spread anew, that is finished first: partitions that stay with
        this member lose no work.

        Raises:
            FencedError: a partition is not ours, or a newer process bears this worker's name.
            UnavailableError: no answer in time; the offsets may have been stored.
        """
        until = time.monotonic() + self._shell.settings.answer_seconds
        while not self._committed(offsets):
            if time.monotonic() > until:
                raise unreachable(self._shell.settings.bootstrap, f"{self._group} is being spread")
            with self._lock:
                self._spread()

    def assignment(self) -> frozenset[Partition]:
        """The partitions this member reads now."""
        self._refuse_gone()
        return self._shell.names.partitions(self._shares.places())

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from ``offset``. Raises FencedError where the partition is not ours."""
        self._refuse_gone()
        place = self._shell.names.place(partition)
        with self._lock:
            if self._client is None or not self._shares.seek(place, offset, self._client):
                raise fenced(f"{self._group} does not own {partition.topic}/{partition.number}")

    def lag(self) -> int:
        """Records appended but not yet polled, over the assigned partitions."""
        self._refuse_gone()
        return sum(end - at for at, end in self._waiting().values())

    def reached(self, partition: Partition) -> int:
        """The next offset to be polled; -1 where the partition is not ours."""
        return self._shares.places().get(self._shell.names.place(partition), -1)

    def close(self) -> None:
        """Leave the group at once; a poll that waits returns empty."""
        self._gone = self._gone or f"this member has left {self._group}"
        with self._lock:
            client, self._client = self._client, None
            try:
                if client is not None:
                    self._leave(client)
            finally:
                self._shell.groups.leave(self._group, self)

    def _leave(self, client: KafkaConsumer) -> None:
        member = client.group_metadata().member_id
        try:
            client.close(autocommit=False, timeout_ms=self._timeout_ms())
            if self._instance and member:
                self._shell.groups.remove(
                    self._group, MemberToRemove(member_id=member, group_instance_id=self._instance)
                )
        except (kafka.KafkaError, WirewatchError):
            return  # without a broker the member times out by itself
        finally:
            self._shares.went(self._shares.places())

    def _round(self, max_records: int, seconds: float) -> list[Record]:
        client = self._joined()
        self._begin(client)
        with self._translated("reading"):
            batches = client.poll(round(seconds * 1000), max_records=max_records)
        return [record for place, found in batches.items() for record in self._took(place, found)]

    def _took(self, place: TopicPartition, messages: list[Any]) -> list[Record]:
        expected = self._shares.places().get(place, 0)
        if messages[0].offset < expected:  # the client begins anew where the log was cut
            raise older(self._group, place, wanted=expected, found=messages[0].offset)
        self._shares.advance(place, messages[-1].offset + 1)
        partition = self._shell.names.partition(place)
        return [self._shell.names.record(partition, message) for message in messages]

    def _waiting(self) -> dict[TopicPartition, tuple[int, int]]:
        """(next offset, end) of the partitions that have more than was polled.

        Raises:
            ForeignStoreError: one ends before what was polled.
        """
        mine = self._shares.places()
        bounds = self._shell.reader.bounds(self._shell.names.partitions(mine)) if mine else {}
        found: dict[TopicPartition, tuple[int, int]] = {}
        for place, reached in mine.items():
            begin, end = bounds[self._shell.names.partition(place)]
            if reached > end:
                raise older(self._group, place, wanted=reached, found=end)
            at = max(begin, reached)
            if at < end:
                found[place] = (at, end)
        return found

    def _look(self, records: list[Record]) -> None:
        """Now and then, after no record: is the log still there, and do we still hear it?"""
        if not records and time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        before, self._behind = self._behind, {}
        if records:
            return
        self._behind = {place: at for place, (at, _) in self._waiting().items()}
        if before.items() & self._behind.items():  # as it was ten seconds ago
            with self._lock:
                client, self._client = self._client, None
                if client is not None:
                    self._leave(client)

    def _joined(self) -> KafkaConsumer:
        if self._client is None:
            self._client = joined(
                self._shell, self._group, self._topics, shares=self._shares, instance=self._instance
            )
        return self._client

    def _begin(self, client: KafkaConsumer) -> None:
        """Seek in partitions that are new here, each time they come."""
        while fresh := self._shares.fresh():
            parts = self._shell.names.partitions(fresh.places)
            starts = self._starts(parts)
            if self._on_assign:
                starts |= {p: at for p, at in self._on_assign(parts).items() if p in parts}
            ends = self._shell.reader.ends(parts)
            for part, at in starts.items():
                if at > ends[part]:
                    place = self._shell.names.place(part)
                    raise older(self._group, place, wanted=at, found=ends[part])
            places = {self._shell.names.place(part): at for part, at in starts.items()}
            self._shares.begin(places, client, turn=fresh.turn)

    def _starts(self, parts: frozenset[Partition]) -> dict[Partition, int]:
        stored = self._shell.groups.committed(self._group)
        bounds = self._shell.reader.bounds(parts)
        return {part: max(bounds[part][0], stored.get(part, 0)) for part in parts}

    def _committed(self, offsets: Mapping[Partition, int]) -> bool:
        """Whether it is done; False while the group is being spread."""
        self._refuse_gone()
        # The broker asks only whether the member lives, not whether the partition is its own.
        lost = [part for part in offsets if self.reached(part) < 0]
        client = self._client
        if lost or client is None:
            raise fenced(f"{self._group} does not own {sorted(lost)} here any more")
        try:
            client.commit(self._shell.names.offsets(offsets), timeout_ms=self._timeout_ms())
        except kafka.KafkaError as error:
            if is_spreading(error):
                return False
            if isinstance(error, kafka.FencedInstanceIdError):
                # Its poll would go on giving records that the newer one gets too.
                self._gone = f"a newer process is {self._instance} of {self._group}"
            raise store_error(error, self._shell.settings.bootstrap, "committing") from error
        return True

    def _spread(self) -> None:
        """Take part in a rebalance without taking records."""
        client = self._client
        if client is None:
            return
        with self._translated("joining"):
            self._shares.pause(client)
            try:
                client.poll(round(_SLICE_SECONDS * 1000))
            finally:
                self._shares.resume(client)

    def _refuse_gone(self) -> None:
        if self._shell.is_closed():
            raise closed()
        if self._gone:
            raise fenced(self._gone)

    def _translated(self, doing: str) -> AbstractContextManager[None]:
        return translated(self._shell.settings.bootstrap, f"{doing} as {self._group}")

    def _timeout_ms(self) -> int:
        return round(self._shell.settings.answer_seconds * 1000)
