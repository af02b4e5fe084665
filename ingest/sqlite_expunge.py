"""What leaves a SQLite log at once, whatever its retention: the records of erased keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ingest.sqlite_file import OFFSET_BITS, OFFSET_MASK
from ingest.sqlite_topics import Topic

_WINDOW = 10_000
"""Offsets looked through in one query: keys of bare records have no index, it would cost every
append what an erasure needs once a month."""

STEP = 100
"""Records deleted in one job, as in a sweep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expunged:
    """The records of ``keys`` in ``topic``; those from offset ``spared`` on are none of ours."""

    topic: Topic
    keys: Collection[str]
    spared: int | None

    def find(self, connection: sqlite3.Connection, part: int, start: int, end: int) -> list[int]:
        """The row ids of records with a value in ``part``, from offset ``start`` to ``end``."""
        places = ", ".join("?" * len(self.keys))
        rows = connection.execute(
            f"""select rid from record where rid >= ? and rid < ? and key in ({places})
            and value is not null""",  # noqa: S608 - question marks only
            (part << OFFSET_BITS | start, part << OFFSET_BITS | end, *self.keys),
        )
        return [rid for (rid,) in rows]

    def windows(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The spans of offsets to look through, one after the other."""
        end = end if self.spared is None else min(end, self.spared)
        for start in range(first, end, _WINDOW):
            yield start, min(start + _WINDOW, end)

    def delete(self, rids: Sequence[int], connection: sqlite3.Connection) -> int:
        """Delete what every group has read and is not the last word on its key; how many."""
        newest = set()
        if self.topic.compacted:
            places = ", ".join("?" * len(self.keys))
            rows = connection.execute(
                f"select rid from latest where topic = ? and key in ({places})",  # noqa: S608 - as above
                (self.topic.id, *self.keys),
            )
            newest = {rid for (rid,) in rows}
        return sum(
            connection.execute(
                """delete from record where rid = ? and not exists
                (select 1 from progress where part = ? and next <= ?)""",
                (rid, rid >> OFFSET_BITS, rid & OFFSET_MASK),
            ).rowcount
            for rid in rids
            if rid not in newest
        )
