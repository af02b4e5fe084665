"""What leaves a SQLite log: superseded records, old tombstones, records past their time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Protocol

from ingest.sqlite_file import OFFSET_BITS, OFFSET_MASK
from ingest.sqlite_reader import offset_at
from ingest.sqlite_topics import Topics

_STEP = 100
"""Records deleted in one job: 5 to 20 ms, so that appends behind it wait no longer."""


class Step(Protocol):
    """A small deletion; how many records went, 0 when there is no more to do."""

    def __call__(self, connection: sqlite3.Connection) -> int:
        """Delete on ``connection``."""


def steps(topics: Topics, now: int) -> Iterator[Step]:
    """Deletions, each to be repeated in transactions of its own until it returns 0."""
    yield partial(_superseded, now)
    for topic in topics.all():
        if topic.retention_days is not None and not topic.compacted:
            before = now - timedelta(days=topic.retention_days) // timedelta(milliseconds=1)
            for part in topic.parts:
                yield partial(_expired, part, before)


def _superseded(now: int, connection: sqlite3.Connection) -> int:
    """Delete what is superseded, and read by every group that reads its partition.

    A feed that has an article too supersedes the record by which the alerts hear that it is new.
    """
    due = connection.execute(
        """select stale.due, stale.rid, part.topic, record.key from stale
        left join record on record.rid = stale.rid left join part on part.id = stale.rid >> ?
        where stale.due <= ? and not exists (select 1 from progress
            where progress.part = stale.rid >> ? and progress.next <= stale.rid & ?)
        order by stale.due, stale.rid limit ?""",
        (OFFSET_BITS, now, OFFSET_BITS, OFFSET_MASK, _STEP),
    ).fetchall()
    # A tombstone that is still the newest of its key leaves the table with its record.
    connection.executemany(
        "delete from latest where topic = ? and key = ? and rid = ?",
        [(topic, key, rid) for _, rid, topic, key in due],
    )
    connection.executemany("delete from record where rid = ?", [(row[1],) for row in due])
    connection.executemany("delete from stale where due = ? and rid = ?", [row[:2] for row in due])
    return len(due)


def _expired(part: int, before: int, connection: sqlite3.Connection) -> int:
    """Delete what was appended ``before`` and read by every group that reads this partition."""
    end = offset_at(part, before, connection)
    (unread,) = connection.execute(
        "select min(next) from progress where part = ?", (part,)
    ).fetchone()
    if unread is not None:
        end = min(end, unread)
    return connection.execute(
        """delete from record where rid in
        (select rid from record where rid >= ? and rid < ? order by rid limit ?)""",
        (part << OFFSET_BITS, part << OFFSET_BITS | end, _STEP),
    ).rowcount
