"""A member of a consumer group of the SQLite log."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.errors import FencedError, ForeignStoreError
from ingest.log import Commit, Partition, Record
from ingest.sqlite_append import store
from ingest.sqlite_groups import Changes, Groups
from ingest.sqlite_reader import Reader
from ingest.sqlite_topics import Topics
from ingest.sqlite_writer import Writer

OnAssign = Callable[[frozenset[Partition]], Mapping[Partition, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The parts of a log that its consumers share."""

    reader: Reader
    writer: Writer
    groups: Groups
    topics: Topics
    changes: Changes
    shuffle: random.Random | None


class SqliteConsumer:
    """A member of ``group``; see ``ingest.log.Consumer``. For one thread, ``close`` for any."""

    def __init__(
        self, shell: Shell, group: str, topics: tuple[str, ...], *, on_assign: OnAssign | None
    ) -> None:
        self.topics = topics
        self._shell = shell
        self._name = group
        self._on_assign = on_assign
        self._next: dict[Partition, int] = {}
        self._generation = -1
        self._turn = 0
        self._closed = False
        self._group = shell.groups.join(group, self)

    def poll(self, *, max_records: int = 500, timeout_seconds: float = 1.0) -> list[Record]:
        """New records of the assigned partitions, in order per partition; empty at time-out.

        Fewer than ``max_records`` where they are large: see ``SqliteLog.read``.
        """
        until = time.monotonic() + timeout_seconds
        while True:
            changes = self._shell.changes.number()
            records = self._take(max_records)
            if records:
                return records
            if not self._shell.changes.wait(changes, until - time.monotonic()):
                return []
            if self._closed:
                return []

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the next offsets. Raises FencedError where a partition is no longer ours."""
        commit = Commit(group=self._name, offsets=offsets)

        def run(connection: sqlite3.Connection) -> None:
            self._shell.groups.check(commit, self)
            store(commit, self._shell.topics, connection)

        self._shell.writer.submit(run).result()

    def assignment(self) -> frozenset[Partition]:
        """The partitions this member reads now."""
        self._adopt()
        return frozenset(self._next)

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from ``offset``."""
        self._adopt()
        if partition not in self._next:
            raise FencedError(f"{self._name} does not own {partition.topic}/{partition.number}")
        self._next[partition] = offset

    def lag(self) -> int:
        """Records appended but not yet polled, over the assigned partitions."""
        self._adopt()
        return sum(self._shell.reader.bounds(part)[1] - at for part, at in self._next.items())

    def reached(self, partition: Partition) -> int:
        """The next offset to be polled; 0 before the first poll."""
        return self._next.get(partition, 0)

    def close(self) -> None:
        """Leave the group at once; a poll that waits returns empty."""
        self._closed = True
        self._shell.groups.leave(self._name, self)

    def _adopt(self) -> None:
        """Take over what the group's last spread gives this member."""
        if self._closed:
            raise FencedError(f"this member has left {self._name}")
        if self._generation == self._group.generation:
            return
        with self._shell.groups.lock:  # no commit of the last owner may come between
            generation, mine = self._shell.groups.owned(self._group, self)
            fresh = mine - self._next.keys()
            places = {part: self._next[part] for part in mine - fresh}
            places |= {part: self._start(part) for part in fresh}
        if self._on_assign and fresh:
            places |= {p: at for p, at in self._on_assign(fresh).items() if p in fresh}
        for part in fresh:
            self._refuse_beyond(part, places[part])
        self._next = places
        self._generation = generation

    def _start(self, partition: Partition) -> int:
        low, _ = self._shell.reader.bounds(partition)
        return max(low, self._shell.reader.committed(self._name, partition) or 0)

    def _refuse_beyond(self, partition: Partition, offset: int) -> None:
        end = self._shell.reader.bounds(partition)[1]
        if offset > end:
            raise ForeignStoreError(
                f"{self._name} is at {offset} of {partition.topic}, which ends at {end}",
                sentence=f"The log is older than what {self._name} has already read of "
                f"{partition.topic} ({end} records instead of {offset}).",
                hint="Restore the newer log, or rebuild what was made from it (reindex).",
            )

    def _take(self, max_records: int) -> list[Record]:
        self._adopt()
        shuffle = self._shell.shuffle
        parts = sorted(self._next)
        if shuffle:
            shuffle.shuffle(parts)
            max_records = max(1, max_records // 2)
        elif parts:  # begin with another one each time, so that none starves the rest
            self._turn = (self._turn + 1) % len(parts)
            parts = parts[self._turn :] + parts[: self._turn]
        found: list[Record] = []
        for part in parts:
            if len(found) >= max_records:
                break
            records = self._read(part, max_records - len(found))
            found += _twice(records, shuffle) if shuffle else records
        return found

    def _read(self, partition: Partition, max_records: int) -> list[Record]:
        records, self._next[partition] = self._shell.reader.fetch(
            partition, self._next[partition], max_records
        )
        return records


def _twice(records: list[Record], shuffle: random.Random) -> list[Record]:
    """Each record twice: next to itself, or the whole run again."""
    if shuffle.random() < 0.5:  # noqa: PLR2004  heads or tails
        return [record for record in records for _ in range(2)]
    return records + records
