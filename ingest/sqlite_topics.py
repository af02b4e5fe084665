"""The topics of a SQLite log and the partitions they have."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.errors import NotFoundError, StoreError
from ingest.log import Partition, TopicSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic as it is in the file; ``parts`` are the row ids of its partitions, by number."""

    id: int
    name: str
    compacted: bool
    retention_days: float | None
    parts: tuple[int, ...]


class Topics:
    """The topics by name, held in memory: only this process changes them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._topics = _load(connection)

    def all(self) -> list[Topic]:
        """Every topic, in the order of creation."""
        return list(self._topics.values())

    def get(self, name: str) -> Topic:
        """The topic ``name``. Raises NotFoundError."""
        try:
            return self._topics[name]
        except KeyError:
            raise NotFoundError(f"the log has no topic {name!r}") from None

    def part(self, partition: Partition) -> int:
        """The row id of ``partition``. Raises NotFoundError."""
        parts = self.get(partition.topic).parts
        if not 0 <= partition.number < len(parts):
            raise NotFoundError(f"topic {partition.topic} has no partition {partition.number}")
        return parts[partition.number]

    def ensure(self, specs: Sequence[TopicSpec], connection: sqlite3.Connection) -> None:
        """Create what is missing and adopt changed retention, inside a transaction."""
        for spec in specs:
            known = self._topics.get(spec.name)
            if known is not None and known.compacted != spec.compacted:
                raise StoreError(f"topic {spec.name} cannot change whether it is compacted")
            connection.execute(
                """insert into topic(name, compacted, retention_days) values (?, ?, ?)
                on conflict(name) do update set retention_days = excluded.retention_days""",
                (spec.name, spec.compacted, spec.retention_days),
            )
            connection.executemany(
                """insert or ignore into part(topic, number)
                select id, ? from topic where name = ?""",
                [(number, spec.name) for number in range(spec.partitions)],
            )

    def reload(self, connection: sqlite3.Connection) -> None:
        """Read the topics anew, once what ``ensure`` did is committed."""
        self._topics = _load(connection)


def _load(connection: sqlite3.Connection) -> dict[str, Topic]:
    parts: dict[int, list[int]] = {}
    for part, topic in connection.execute("select id, topic from part order by topic, number"):
        parts.setdefault(topic, []).append(part)
    return {
        name: Topic(
            id=topic,
            name=name,
            compacted=bool(compacted),
            retention_days=days,
            parts=tuple(parts.get(topic, ())),
        )
        for topic, name, compacted, days in connection.execute(
            "select id, name, compacted, retention_days from topic order by id"
        )
    }
