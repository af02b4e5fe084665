"""The Log port: what both logs (SQLite here, Kafka elsewhere) promise, and the topics in it.

At least once, order per key only, 900 kB a record, offsets that grow but may have gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

MAX_RECORD_BYTES = 900_000
"""Key and value together; Kafka's producer stops at 1 MiB with its own overhead."""


class Partition(NamedTuple):
    """One ordered part of a topic."""

    topic: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """How a topic is kept.

    Attributes:
        partitions: Embedded topics have one (ARCHITECTURE section 2).
        compacted: Only the last record of a key is kept; a None value removes the key.
        retention_days: By append time; None keeps for ever. Not for compacted topics.
    """

    name: str
    partitions: int = 1
    compacted: bool = False
    retention_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """What to append. Without ``partition`` the key's hash decides."""

    topic: str
    key: str
    value: bytes | None
    partition: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was appended, where and when."""

    partition: Partition
    offset: int
    key: str
    value: bytes | None
    appended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A group's next offsets, to be stored together with an append."""

    group: str
    offsets: Mapping[Partition, int]


class Consumer(Protocol):
    """A member of a consumer group. Nothing is committed unless asked."""

    def poll(self, *, max_records: int = 500, timeout_seconds: float = 1.0) -> list[Record]:
        """New records of the assigned partitions, in order per partition; empty at time-out."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the next offsets. Raises FencedError where a partition is no longer ours."""

    def assignment(self) -> frozenset[Partition]:
        """The partitions this member reads now."""

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from ``offset``."""

    def lag(self) -> int:
        """Records appended but not yet polled, over the assigned partitions."""

    def close(self) -> None:
        """Leave the group at once."""


class Table(Protocol):
    """A compacted topic by key: the last value of each, tombstones left out."""

    def get(self, key: str) -> Record | None:
        """The last record of ``key``."""

    def many(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The last records of those of ``keys`` that have one, read in one go."""

    def items(self, prefix: str = "") -> Iterator[Record]:
        """The last record of every key that starts with ``prefix``, by key."""


class Log(Protocol):
    """An append-only log of topics with consumer groups."""

    def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing, adopt changed retention; idempotent, never shrinks."""

    def append(self, records: Sequence[NewRecord], *, commit: Commit | None = None) -> list[int]:
        """Append all and store ``commit`` after them; the offsets, once durable.

        SQLite: one transaction. Kafka: in that order. Order is kept per key.

        Raises:
            RecordTooLargeError: nothing was appended.
            UnavailableError: full or unreachable; nothing was acknowledged.
            FencedError: ``commit`` names a group whose live consumer does not own the partition.
        """

    def submit(
        self, records: Sequence[NewRecord], *, commit: Commit | None = None
    ) -> Future[list[int]]:
        """As ``append``, without waiting; group commit makes many of these cheap."""

    def read(self, partition: Partition, offset: int, *, max_records: int = 500) -> list[Record]:
        """Records from ``offset`` on, without a group."""

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """(first kept offset, next offset to be written)."""

    def ends(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The next offset to be written of each, asked in one go."""

    def offset_at(self, partition: Partition, moment: datetime) -> int:
        """The first offset appended at ``moment`` or later; the end where there is none."""

    def partitions(self, topic: str) -> int:
        """How many partitions ``topic`` has."""

    def committed(self, group: str, partition: Partition) -> int | None:
        """The group's next offset, or None where it never committed."""

    def reset_group(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Move a group that has no live member. Raises FencedError where it has one."""

    def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        on_assign: Callable[[frozenset[Partition]], Mapping[Partition, int]] | None = None,
    ) -> Consumer:
        """Join ``group``; starts at the committed offset, else at the first kept record.

        ``on_assign`` runs at every assignment and may give start offsets: a sink with a
        checkpoint of its own seeks there.
        """

    def table(self, topic: str) -> Table:
        """A compacted topic by key, as of now."""

    def identity(self) -> str:
        """A random id as old as this log, or its topics; tells one that came back empty."""

    def sweep(self) -> int:
        """Apply retention and compaction; how many records went. Safe at any time."""

    def expunge(self, topic: str, keys: Collection[str], *, spared: int | None = None) -> int:
        """Delete the records of ``keys`` for good, whatever the retention; how many are left.

        Left is what a group has not read yet, and the last value of a key of a compacted topic.
        Records from offset ``spared`` on are not counted. What was deleted before is in no byte
        of the files when this returns 0. Kafka: 0; retention and compaction do it in their time.
        """

    def health(self) -> Mapping[str, str]:
        """Facts for ``doctor``: version, size, state."""

    def close(self) -> None:
        """Finish what was submitted, then close."""


def topic_specs(
    *, articles_days: float = 30, quarantine_days: float = 90, shards: int = 1, parallel: int = 1
) -> tuple[TopicSpec, ...]:
    """The topics of the log (ARCHITECTURE section 2); 0 days keep for ever.

    ``shards`` is the partitions of what owners share among them: feeds and subscriptions, each with
    its state, and requests. ``parallel`` is that of ``articles`` and of ``stories``: so many
    workers can tag, so many index. All else is in one order, and all is where one machine serves.
    """
    return (
        TopicSpec(name="feeds", partitions=shards, compacted=True),
        TopicSpec(name="feed-state", partitions=shards, compacted=True),
        TopicSpec(name="entries", partitions=shards, compacted=True),
        TopicSpec(name="articles", partitions=parallel, retention_days=articles_days or None),
        TopicSpec(name="tagged", retention_days=articles_days or None),  # one order of arrival
        TopicSpec(name="decisions", compacted=True),
        TopicSpec(name="stories", partitions=parallel, compacted=True),
        TopicSpec(name="story-links", compacted=True),
        TopicSpec(name="topics", compacted=True),
        TopicSpec(name="subscriptions", partitions=shards, compacted=True),
        TopicSpec(name="alert-state", partitions=shards, compacted=True),
        TopicSpec(name="requests", partitions=shards, retention_days=7),
        TopicSpec(name="quarantine", retention_days=quarantine_days or None),
        TopicSpec(name="channels", compacted=True),
        TopicSpec(name="accounts", compacted=True),
        TopicSpec(name="marks", compacted=True),
        TopicSpec(name="audit", retention_days=365),
        TopicSpec(name="erasures", compacted=True),
    )
