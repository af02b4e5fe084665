"""Stories and changed subscriptions in the order in which they were appended, over partitions."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from ingest.log import Consumer, Log, Partition, Record

STORIES, SUBSCRIPTIONS = "stories", "subscriptions"

BATCH = 200
"""Records taken at a time, as in the stages before."""

MORE_SECONDS = 0.05
"""How long to wait for the rest of what is known to be there."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

Timed = tuple[datetime, Record]


class Timeline:
    """Reads every partition of ``stories``, and of ``subscriptions`` those asked for.

    A subscription changed while nobody looked meets each story as it was at that story's time.
    For one thread.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._next: dict[Partition, int] = {}
        self._waiting: dict[Partition, deque[Timed]] = {}
        # A group of its own, of which nothing is ever stored: every reader gets every record,
        # and is woken by it.
        self._consumer: Consumer = log.consumer(
            f"alert-reader-{secrets.token_hex(8)}",
            [STORIES, SUBSCRIPTIONS],
            on_assign=self._starts,
        )

    def follow(self, partition: Partition, offset: int) -> None:
        """Go on at ``offset``. Of ``subscriptions``, what is there now is read at once."""
        self._next[partition] = offset
        self._waiting[partition] = deque()
        if partition.topic == SUBSCRIPTIONS:
            while records := self._log.read(partition, self._next[partition]):
                for record in records:
                    self._came(record)
        if partition in self._consumer.assignment():
            self._consumer.seek(partition, self._next[partition])

    def leave(self, shards: Collection[int]) -> None:
        """Follow the subscriptions of ``shards`` no more."""
        for shard in shards:
            self._next.pop(Partition(SUBSCRIPTIONS, shard), None)
            self._waiting.pop(Partition(SUBSCRIPTIONS, shard), None)

    def take(self, timeout_seconds: float) -> list[Record]:
        """What can be handled now, in order; a subscription first where the times are equal.

        Subscriptions are read after stories: of two changes the earlier is then never missing.
        """
        waits = any(self._waiting.values())
        self._poll(min(timeout_seconds, MORE_SECONDS) if waits else timeout_seconds)
        if not any(self._waiting.values()):
            return []
        until = None if self._has_all() else self._known_until()
        found = []
        for waiting in self._waiting.values():
            while waiting and (until is None or waiting[0][0] <= until):
                found.append(waiting.popleft())
        return _in_order(found)

    def ahead(self) -> list[Record]:
        """What ``take`` will give next, as far as it is here."""
        if sum(map(len, self._waiting.values())) < BATCH:
            self._poll(0)
        return _in_order([one for waiting in self._waiting.values() for one in waiting])

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _poll(self, timeout_seconds: float) -> None:
        for record in self._consumer.poll(max_records=BATCH, timeout_seconds=timeout_seconds):
            self._came(record)

    def _came(self, record: Record) -> None:
        if record.offset < self._next.get(record.partition, record.offset + 1):
            return  # not followed, or read before
        waiting = self._waiting[record.partition]
        # The clock of a broker may go back; the order within a partition stays.
        when = max(record.appended, waiting[-1][0]) if waiting else record.appended
        waiting.append((when, record))
        self._next[record.partition] = record.offset + 1

    def _has_all(self) -> bool:
        """Whether all that has been appended is here: of both topics, as far as we follow them."""
        is_joined = self._next.keys() <= self._consumer.assignment()
        return is_joined and not self._consumer.lag()

    def _known_until(self) -> datetime:
        """Up to when every story is here: where one partition lags, the others wait for it."""
        until = datetime.max.replace(tzinfo=UTC)
        for part, at in self._next.items():
            if part.topic == STORIES and at < self._log.bounds(part)[1]:
                waiting = self._waiting[part]
                until = min(until, waiting[-1][0] if waiting else LONG_AGO)
        return until

    def _starts(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Where to read on: the subscriptions of others not at all, new stories whole."""
        for one in partitions - self._next.keys():
            if one.topic == STORIES:
                self._next[one], self._waiting[one] = 0, deque()
        return {
            one: self._next[one] if one in self._next else self._log.bounds(one)[1]
            for one in partitions
        }


def _in_order(found: list[Timed]) -> list[Record]:
    found.sort(key=lambda one: (one[0], one[1].partition.topic == STORIES))
    return [record for _, record in found]
