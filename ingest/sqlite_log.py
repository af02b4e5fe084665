"""The Log on one SQLite file, for the single process that owns a data folder.

Appends are acknowledged when they are on the disk (write-ahead log, ``synchronous = full``);
the writer shares one fsync between all who wait. Reading never waits for writing.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ingest.errors import WirewatchError
from ingest.log import Commit, NewRecord, Partition, Record, TopicSpec
from ingest.sqlite_append import AppendClock, checked, insert, store
from ingest.sqlite_consumer import OnAssign, Shell, SqliteConsumer
from ingest.sqlite_expunge import STEP, Expunged
from ingest.sqlite_file import MIGRATIONS, open_writer
from ingest.sqlite_groups import Changes, Groups
from ingest.sqlite_reader import Reader
from ingest.sqlite_sweep import steps
from ingest.sqlite_topics import Topics
from ingest.sqlite_writer import Writer

_CLOCK_SLACK = 5.0
"""Seconds; less is what time servers correct every day."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteLog:
    """``ingest.log.Log`` on the file ``path``; safe to use from any thread.

    ``shuffle`` is for tests: consumers then get each record twice and partitions in a random
    order, which is all that at-least-once and order per key allow.
    """

    def __init__(
        self,
        path: Path,
        *,
        shuffle: random.Random | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._path = path
        self._shuffle = shuffle
        self._changes = Changes()
        connection = open_writer(path)
        self._topics = Topics(connection)
        last = connection.execute("select coalesce(max(last_at), 0) from part").fetchone()[0]
        self._clock = AppendClock(clock, last)
        self._groups = Groups(self.partitions, self._changes)
        self._writer = Writer(connection, guard=self._groups.lock, committed=self._changes.announce)
        self._reader = Reader(path, self._topics, ends=self._writer.ends)

    def ensure_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create what is missing, adopt changed retention; idempotent, never shrinks."""
        self._writer.submit(lambda connection: self._topics.ensure(specs, connection)).result()
        self._writer.submit(self._topics.reload).result()
        self._groups.respread()

    def append(self, records: Sequence[NewRecord], *, commit: Commit | None = None) -> list[int]:
        """Append all and store ``commit`` in one transaction; the offsets, once on the disk.

        Raises:
            RecordTooLargeError: nothing was appended.
            UnavailableError: the disk is full or the log closed; nothing was appended.
            FencedError: ``commit`` names a group whose live consumer does not own the partition.
        """
        return self.submit(records, commit=commit).result()

    def submit(
        self, records: Sequence[NewRecord], *, commit: Commit | None = None
    ) -> Future[list[int]]:
        """As ``append``, without waiting, and with its errors in the future."""
        try:
            rows = checked(records, self._topics)
        except WirewatchError as error:
            refused: Future[list[int]] = Future()
            refused.set_exception(error)
            return refused

        def run(connection: sqlite3.Connection) -> list[int]:
            offsets = insert(rows, self._clock.stamp(), connection)
            if commit is not None:
                self._groups.check(commit)
                store(commit, self._topics, connection)
            return offsets

        return self._writer.submit(run)

    def read(self, partition: Partition, offset: int, *, max_records: int = 500) -> list[Record]:
        """Records from ``offset`` on, without a group; fewer where they are large (16 MB)."""
        return self._reader.fetch(partition, offset, max_records)[0]

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """(first kept offset, next offset to be written)."""
        return self._reader.bounds(partition)

    def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to be written of each."""
        return {one: self._reader.bounds(one)[1] for one in partitions}

    def offset_at(self, partition: Partition, moment: datetime) -> int:
        """The first offset appended at ``moment`` or later; the end where there is none."""
        return self._reader.offset_at(partition, round(moment.timestamp() * 1000))

    def partitions(self, topic: str) -> int:
        """How many partitions ``topic`` has."""
        return len(self._topics.get(topic).parts)

    def committed(self, group: str, partition: Partition) -> int | None:
        """The group's next offset, or None where it never committed."""
        return self._reader.committed(group, partition)

    def reset_group(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Move a group that has no live member. Raises FencedError where it has one."""

        def run(connection: sqlite3.Connection) -> None:
            self._groups.check_empty(group)
            store(Commit(group=group, offsets=offsets), self._topics, connection)

        self._writer.submit(run).result()

    def consumer(
        self, group: str, topics: Sequence[str], *, on_assign: OnAssign | None = None
    ) -> SqliteConsumer:
        """Join ``group``; starts at the committed offset, else at the first kept record.

        ``on_assign`` gets the partitions that are new to this member, on the thread that polls.
        """
        shell = Shell(
            reader=self._reader,
            writer=self._writer,
            groups=self._groups,
            topics=self._topics,
            changes=self._changes,
            shuffle=self._shuffle,
        )
        return SqliteConsumer(shell, group, tuple(topics), on_assign=on_assign)

    def table(self, topic: str) -> SqliteTable:
        """The compacted ``topic`` by key."""
        return SqliteTable(topic, self._reader)

    def identity(self) -> str:
        """A random id made when this log was created; tells a store that came back empty."""
        return self._reader.fact("identity")

    def sweep(self) -> int:
        """Apply retention and compaction; how many records went. Safe at any time.

        What a group has not read yet stays, however old it is.
        """
        gone = 0
        for step in steps(self._topics, self._clock.horizon()):
            while went := self._writer.submit(step).result():
                gone += went
        return gone

    def expunge(self, topic: str, keys: Collection[str], *, spared: int | None = None) -> int:
        """Delete the records of ``keys`` for good, whatever the retention; how many are left.

        Left is what a group has not read yet, and the last value of a key of a compacted topic;
        one more while somebody's reading keeps old pages in the write-ahead log. The file is
        looked through from end to end: some seconds a gigabyte.
        """
        wanted = Expunged(topic=self._topics.get(topic), keys=keys, spared=spared)
        found = self._reader.expunged(wanted)
        left = len(found)
        for start in range(0, len(found), STEP):
            some = found[start : start + STEP]
            left -= self._writer.submit(partial(wanted.delete, some)).result()
        return left or int(not self._writer.checkpoint().result())

    def health(self) -> Mapping[str, str]:
        """Facts for ``doctor``: state, clock, version, size."""
        behind = self._clock.behind_seconds()
        files = [self._path, self._path.with_name(self._path.name + "-wal")]
        return {
            "state": self._writer.fault() or "ok",
            "clock": f"{behind:.0f} s behind the last append" if behind > _CLOCK_SLACK else "ok",
            "identity": self.identity(),
            "path": str(self._path),
            "version": str(len(MIGRATIONS)),
            "sqlite": sqlite3.sqlite_version,
            "bytes": str(sum(file.stat().st_size for file in files if file.exists())),
            "free_bytes": str(shutil.disk_usage(self._path.parent).free),
        }

    def close(self) -> None:
        """Finish what was submitted, then close; whoever polls gets UnavailableError."""
        self._writer.close()
        self._reader.close()
        self._changes.announce()


class SqliteTable:
    """``ingest.log.Table`` of a compacted topic."""

    def __init__(self, topic: str, reader: Reader) -> None:
        self._topic = topic
        self._reader = reader

    def get(self, key: str) -> Record | None:
        """The last record of ``key``."""
        return self._reader.newest(self._topic, key)

    def many(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The last records of those of ``keys`` that have one, read in one go."""
        return self._reader.newest_of(self._topic, keys)

    def items(self, prefix: str = "") -> Iterator[Record]:
        """The last record of every key that starts with ``prefix``, by key.

        Read a page at a time: a change made meanwhile may show for the keys still to come.
        """
        return self._reader.each_newest(self._topic, prefix)
