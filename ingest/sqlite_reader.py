"""How records get out of the tables of a SQLite log, on as many threads as ask."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.errors import UnavailableError
from ingest.log import Partition, Record
from ingest.sqlite_expunge import Expunged
from ingest.sqlite_file import OFFSET_BITS, OFFSET_MASK, open_reader, store_error
from ingest.sqlite_topics import Topic, Topics

_FETCH_BYTES = 16_000_000
"""One read stops after these values: 500 records may be 450 MB."""

_PAGE = 500
"""Records of a table read at a time: no reader may hold the write-ahead log for long."""


class Reader:
    """Queries on a pool of read-only connections, one to a call.

    Args:
        ends: The next offset of each partition, by its row id, as of the last commit: whoever
            waits for news looks there first, after every commit, and mostly finds none.
    """

    def __init__(self, path: Path, topics: Topics, *, ends: Mapping[int, int]) -> None:
        self._path = path
        self._topics = topics
        self._ends = ends
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False

    def fetch(
        self, partition: Partition, offset: int, max_records: int
    ) -> tuple[list[Record], int]:
        """Records from ``offset`` on, and the offset to go on from, which is behind any gap."""
        part = self._topics.part(partition)
        # The end first: what is appended in between is then read again, not skipped.
        end = self._end(part)
        if offset >= end:
            return [], offset
        with self._connection() as connection:
            records = _records(partition, part, offset, max_records, connection)
        return records, records[-1].offset + 1 if records else end

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """(first kept offset, next offset to be written)."""
        part = self._topics.part(partition)
        end = self._end(part)
        with self._connection() as connection:
            return _first_kept(part, 0, end, connection), end

    def offset_at(self, partition: Partition, moment: int) -> int:
        """The first offset appended at ``moment`` (milliseconds) or later; else the end."""
        part = self._topics.part(partition)
        with self._connection() as connection:
            return offset_at(part, moment, connection)

    def committed(self, group: str, partition: Partition) -> int | None:
        """The group's next offset, or None."""
        found = self._one(
            "select next from progress where consumers = ? and part = ?",
            (group, self._topics.part(partition)),
        )
        return None if found is None else int(found[0])

    def fact(self, name: str) -> str:
        """A fact about the file, such as its identity."""
        found = self._one("select value from fact where name = ?", (name,))
        return "" if found is None else str(found[0])

    def expunged(self, wanted: Expunged) -> list[int]:
        """The row ids of the records that ``wanted`` names, as of now."""
        found: list[int] = []
        for part in wanted.topic.parts:
            end = self._end(part)
            with self._connection() as connection:
                first = _first_kept(part, 0, end, connection)
            for start, stop in wanted.windows(first, end):
                with self._connection() as connection:
                    found += wanted.find(connection, part, start, stop)
        return found

    def newest(self, name: str, key: str) -> Record | None:
        """The last record of ``key`` in the compacted topic ``name``, unless removed."""
        topic = self._topics.get(name)
        found = self._one(f"{_NEWEST} and latest.key = ?", (topic.id, key))
        return None if found is None or found[3] is None else _newest(topic, found)

    def newest_of(self, name: str, keys: Collection[str]) -> dict[str, Record]:
        """The last records of those of ``keys`` that have one, as ``newest`` gives them."""
        topic = self._topics.get(name)
        found: dict[str, Record] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), _PAGE):
            page = wanted[start : start + _PAGE]
            places = ", ".join("?" * len(page))
            rows = self._all(f"{_NEWEST} and latest.key in ({places})", (topic.id, *page))
            found.update((row[2], _newest(topic, row)) for row in rows if row[3] is not None)
        return found

    def each_newest(self, name: str, prefix: str) -> Iterator[Record]:
        """The last record of every key that starts with ``prefix``, by key."""
        topic = self._topics.get(name)
        rows = self._all(
            f"{_NEWEST} and latest.key >= ? order by latest.key limit ?", (topic.id, prefix, _PAGE)
        )
        while rows:
            for row in rows:
                if not row[2].startswith(prefix):
                    return
                if row[3] is not None:
                    yield _newest(topic, row)
            rows = self._all(
                f"{_NEWEST} and latest.key > ? order by latest.key limit ?",
                (topic.id, rows[-1][2], _PAGE),
            )

    def close(self) -> None:
        """Close every connection, those in use once they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _end(self, part: int) -> int:
        if self._closed:
            raise UnavailableError("the log is closed")
        return self._ends[part]

    def _one(self, statement: str, values: tuple[Any, ...]) -> Any:
        with self._connection() as connection:
            return connection.execute(statement, values).fetchone()

    def _all(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._connection() as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise UnavailableError("the log is closed")
        connection: sqlite3.Connection | None = None
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = open_reader(self._path)
            yield connection
        except sqlite3.Error as error:
            raise store_error(error) from error
        finally:
            if connection is not None:
                self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        if self._closed:  # by another thread, meanwhile
            self.close()


def offset_at(part: int, moment: int, connection: sqlite3.Connection) -> int:
    """The first offset of ``part`` appended at ``moment`` or later; else the end.

    Append times never fall, so halving finds it in at most 40 steps.
    """
    end = _end(part, connection)
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            "select rid, at from record where rid >= ? and rid < ? order by rid limit 1",
            (part << OFFSET_BITS | middle, part << OFFSET_BITS | end),
        ).fetchone()
        if found is None or found[1] >= moment:
            high = middle
        else:
            low = (found[0] & OFFSET_MASK) + 1
    return _first_kept(part, low, end, connection)


_NEWEST = """select record.rid, record.at, record.key, record.value from latest
    join record on record.rid = latest.rid where latest.topic = ?"""


def _end(part: int, connection: sqlite3.Connection) -> int:
    return int(connection.execute("select next from part where id = ?", (part,)).fetchone()[0])


def _first_kept(part: int, offset: int, end: int, connection: sqlite3.Connection) -> int:
    """The first offset from ``offset`` on that is not swept, else ``end``."""
    (found,) = connection.execute(
        "select min(rid) from record where rid >= ? and rid < ?",
        (part << OFFSET_BITS | offset, part << OFFSET_BITS | end),
    ).fetchone()
    return end if found is None else found & OFFSET_MASK


def _records(
    partition: Partition, part: int, offset: int, limit: int, connection: sqlite3.Connection
) -> list[Record]:
    found: list[Record] = []
    size = 0
    rows = connection.execute(
        "select rid, at, key, value from record where rid >= ? and rid < ? order by rid limit ?",
        (part << OFFSET_BITS | offset, part + 1 << OFFSET_BITS, limit),
    )
    with closing(rows):
        for row in rows:
            found.append(_record(partition, row))
            size += len(row[3] or b"")
            if size > _FETCH_BYTES:
                break
    return found


def _newest(topic: Topic, row: tuple[int, int, str, bytes | None]) -> Record:
    number = topic.parts.index(row[0] >> OFFSET_BITS)
    return _record(Partition(topic.name, number), row)


def _record(partition: Partition, row: tuple[int, int, str, bytes | None]) -> Record:
    rid, at, key, value = row
    return Record(
        partition=partition,
        offset=rid & OFFSET_MASK,
        key=key,
        value=value,
        appended=datetime.fromtimestamp(at / 1000, UTC),
    )
