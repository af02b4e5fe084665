"""Ownership of a compacted list: who of several processes does the work of which shards.

The owners form a consumer group over the list's topic. Nothing is ever committed: whoever gets a
partition reads its list from the beginning, and acts once it has read to the end that stood when
the partition came. Embedded there is one partition and one owner of all.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from ingest.errors import UnavailableError
from ingest.log import Consumer, Log, Partition, Record
from ingest.requests import Request, request_record

LOOK_SECONDS = 0.25
"""How long the thread waits for a change of the list before it looks around."""

_BATCH = 2_000

_events = structlog.get_logger(__name__)


class Owner(Protocol):
    """Who does the work of the shards.

    Called on the thread of ``Shards.run``, which must stay free to answer the group: note what
    came, do the work elsewhere.
    """

    def gained(self, partition: int, records: Sequence[Record]) -> None:
        """The partition is ours, and this is its list: the last record of each key."""

    def changed(self, records: Sequence[Record]) -> None:
        """New records of lists that are ours; one without a value takes its key off the list."""

    def lost(self, partitions: frozenset[int]) -> None:
        """They are no longer ours: write nothing more for them."""


@dataclass(slots=True, kw_only=True)
class _Part:
    """A partition assigned to us: its list until it is ready, and our generation from then on."""

    goal: int
    reached: int
    records: dict[str, Record] = field(default_factory=dict)
    generation: int = -1


class Shards:
    """A member of ``group`` over the list ``topic``; see the module.

    A shard, stored in each record of the list, belongs to the partition ``shard % partitions``.

    Args:
        lease_seconds: Without a sign of life of our own for so long, nothing is ours any more:
            the group may have given it to others. Well below the group's session.

    Attributes:
        pause: Why the group cannot be heard, as a sentence; empty while it can.
    """

    def __init__(
        self, log: Log, owner: Owner, *, group: str, topic: str, lease_seconds: float = math.inf
    ) -> None:
        self.pause = ""
        self._log = log
        self._owner = owner
        self._group = group
        self._topic = topic
        self._lease_seconds = lease_seconds
        self._partitions = log.partitions(topic)
        self._parts: dict[int, _Part] = {}
        self._heard = time.monotonic()
        self._consumer = self._joined()

    def run(self, stop: threading.Event) -> None:
        """Take part until ``stop`` is set, then leave the group at once. For a thread of its own.

        Raises:
            StoreError: the log is another one, or another process bears our name.
        """
        try:
            while not stop.is_set():
                self.step()
                if self.pause:
                    stop.wait(1.0)
        finally:
            self._lose(self._parts)
            self._consumer.close()

    def owns(self, shard: int) -> bool:
        """Whether the work of ``shard`` is ours now; from any thread."""
        return self.generation(shard) >= 0

    def generation(self, shard: int) -> int:
        """Higher than that of every earlier owner of ``shard``; -1 where it is not ours."""
        part = self._parts.get(shard % self._partitions)
        return part.generation if part and self._is_heard() else -1

    def owned(self) -> frozenset[int]:
        """The partitions that are ours and whose list is read."""
        return frozenset(number for number in tuple(self._parts) if self.owns(number))

    def share(self) -> float:
        """Which part of all shards is ours, from 0 to 1."""
        return len(self.owned()) / self._partitions

    def step(self, timeout_seconds: float = LOOK_SECONDS) -> None:
        """Hear the group and the list once; the owner learns what changed."""
        try:
            records = self._consumer.poll(max_records=_BATCH, timeout_seconds=timeout_seconds)
            if not self._is_heard():
                self._rejoin()
                return
            self._heard = time.monotonic()
            ours = {part.number for part in self._consumer.assignment()}
            self._lose(self._parts.keys() - ours)
            self._list(records)
            self._begin(self._read(caught_up=not records))
        except UnavailableError as error:
            self.pause = error.sentence
        else:
            self.pause = ""

    def _is_heard(self) -> bool:
        return time.monotonic() - self._heard < self._lease_seconds

    def _rejoin(self) -> None:
        """Begin anew: we stood still, and cannot know what the group did meanwhile."""
        self._lose(self._parts)
        self._consumer.close()
        self._consumer = self._joined()
        self._heard = time.monotonic()

    def _joined(self) -> Consumer:
        return self._log.consumer(self._group, [self._topic], on_assign=self._assigned)

    def _assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Begin each new partition at its beginning; called within ``poll``."""
        self._lose({part.number for part in partitions})  # it had gone and come in between
        for part, end in self._log.ends(partitions).items():
            self._parts[part.number] = _Part(reached=0, goal=end)
        return dict.fromkeys(partitions, 0)  # or what is the first that is kept

    def _lose(self, numbers: Iterable[int]) -> None:
        gone = frozenset(numbers) & self._parts.keys()
        ready = frozenset(one for one in gone if self._parts[one].generation >= 0)
        for number in gone:
            del self._parts[number]
        if ready:
            _events.info("shards lost", group=self._group, partitions=sorted(ready))
            self._owner.lost(ready)

    def _list(self, records: Sequence[Record]) -> None:
        changed = []
        for record in records:
            part = self._parts.get(record.partition.number)
            if part is None:
                continue
            part.reached = record.offset + 1
            if part.generation >= 0:
                changed.append(record)
            elif record.value is None:
                part.records.pop(record.key, None)
            else:
                part.records[record.key] = record
        if changed:
            self._owner.changed(changed)

    def _read(self, *, caught_up: bool) -> list[int]:
        """The partitions whose list is read now, and that wait to begin."""
        found = []
        for number, part in self._parts.items():
            if part.generation >= 0:
                continue
            # Compaction may have taken the last records before the end.
            if part.reached >= part.goal or (
                caught_up and not self._log.read(self._place(number), part.reached, max_records=1)
            ):
                found.append(number)
        return found

    def _begin(self, numbers: Sequence[int]) -> None:
        """Claim what is read: the offset of the claim outranks every claim before it."""
        if not numbers:
            return
        now = datetime.now(UTC)
        claims = [Request(kind="own", target=f"{self._topic}/{one}", at=now) for one in numbers]
        offsets = self._log.append(
            [
                request_record(self._log, claim, shard=number)
                for claim, number in zip(claims, numbers, strict=True)
            ]
        )
        _events.info("shards gained", group=self._group, partitions=sorted(numbers))
        for number, offset in zip(numbers, offsets, strict=True):
            part = self._parts[number]
            records, part.records = list(part.records.values()), {}
            part.generation = offset
            self._owner.gained(number, records)

    def _place(self, number: int) -> Partition:
        return Partition(self._topic, number)
