"""How records get into the tables of a SQLite log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.errors import MalformedRecordError, RecordTooLargeError
from ingest.log import MAX_RECORD_BYTES, Commit, NewRecord, Partition
from ingest.partitioner import partition_of
from ingest.sqlite_file import OFFSET_BITS
from ingest.sqlite_topics import Topics

TOMBSTONE_KEPT = timedelta(hours=24)
"""So long a reader may lag and still see that a key was removed; Kafka's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record that passed every check; ``table`` is its topic's id if that is compacted."""

    part: int
    table: int | None
    key: str
    value: bytes | None


class AppendClock:
    """Append times in milliseconds: the clock's, but never below the last append's.

    A clock that jumps back would otherwise break the search by time, and one that jumped ahead
    would make retention delete what nobody has read (fault F60).
    """

    def __init__(self, clock: Callable[[], datetime], last: int) -> None:
        self._clock = clock
        self._last = last

    def stamp(self) -> int:
        """The time of an append made now."""
        self._last = max(self._last, self.now())
        return self._last

    def now(self) -> int:
        """What the clock says, in milliseconds."""
        return int(self._clock().timestamp() * 1000)

    def horizon(self) -> int:
        """Now as far as deletion is concerned: not later than the last append."""
        return min(self._last, self.now())

    def behind_seconds(self) -> float:
        """How far the clock lags the last append; 0 where it does not."""
        return max(0.0, (self._last - self.now()) / 1000)


def checked(records: Sequence[NewRecord], topics: Topics) -> list[Row]:
    """``records`` as rows.

    Raises:
        RecordTooLargeError: a record is above the limit of both logs.
        MalformedRecordError: a key is not text that UTF-8 can carry.
        NotFoundError: no such topic or partition.
    """
    return [_checked(record, topics) for record in records]


def insert(rows: Sequence[Row], at: int, connection: sqlite3.Connection) -> list[int]:
    """Append ``rows``; their offsets."""
    heads: dict[int, int] = {}
    placed: list[tuple[int, Row]] = []
    for row in rows:
        head = heads.get(row.part)
        if head is None:
            (head,) = connection.execute(
                "select next from part where id = ?", (row.part,)
            ).fetchone()
        heads[row.part] = head + 1
        placed.append((head, row))
    connection.executemany(
        "insert into record(rid, at, key, value) values (?, ?, ?, ?)",
        [(row.part << OFFSET_BITS | offset, at, row.key, row.value) for offset, row in placed],
    )
    connection.executemany(
        "update part set next = ?, last_at = ? where id = ?",
        [(head, at, part) for part, head in heads.items()],
    )
    for offset, row in placed:
        if row.table is not None:
            _replace(row, row.part << OFFSET_BITS | offset, at, connection)
    return [offset for offset, _ in placed]


def store(commit: Commit, topics: Topics, connection: sqlite3.Connection) -> None:
    """Set the group's next offsets to those of ``commit``."""
    connection.executemany(
        "insert or replace into progress(consumers, part, next) values (?, ?, ?)",
        [(commit.group, topics.part(part), offset) for part, offset in commit.offsets.items()],
    )


def _replace(row: Row, rid: int, at: int, connection: sqlite3.Connection) -> None:
    """Make ``rid`` the newest of its key; what it supersedes may be swept from now on."""
    connection.execute(
        "insert into stale(due, rid) select ?, rid from latest where topic = ? and key = ?",
        (at, row.table, row.key),
    )
    connection.execute(
        "insert or replace into latest(topic, key, rid) values (?, ?, ?)",
        (row.table, row.key, rid),
    )
    if row.value is None:
        due = at + TOMBSTONE_KEPT // timedelta(milliseconds=1)
        connection.execute("insert into stale(due, rid) values (?, ?)", (due, rid))


def _checked(record: NewRecord, topics: Topics) -> Row:
    topic = topics.get(record.topic)
    try:
        size = len(record.key.encode()) + len(record.value or b"")
    except UnicodeEncodeError as error:
        raise MalformedRecordError(f"key {record.key!r} is not text") from error
    if size > MAX_RECORD_BYTES:
        raise RecordTooLargeError(
            f"{record.topic}/{record.key}: {size} bytes, at most {MAX_RECORD_BYTES}"
        )
    number = record.partition
    if number is None:
        number = partition_of(record.key, len(topic.parts))
    return Row(
        part=topics.part(Partition(record.topic, number)),
        table=topic.id if topic.compacted else None,
        key=record.key,
        value=record.value,
    )
