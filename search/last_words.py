"""What we wrote last for a shard, so that the late word of an earlier owner does not stand.

A worker that hangs finds out that its shards went before it writes again. What it had handed to
the network is beyond its reach, and comes after what the new owner wrote meanwhile (row F58).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.log import NewRecord, Record
from search.ownership import Ownership

KEPT = 2_000
"""Records of each loop, 20 MB at most. A late word comes within moments of its writer's waking,
about what it had in hand when it stopped: some hundred alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    record: NewRecord
    offset: int
    since: int


class LastWords:
    """The newest records that one loop wrote, by key. For one thread."""

    def __init__(self, shards: Ownership) -> None:
        self._shards = shards
        self._said: dict[str, _Said] = {}
        self._writing: set[str] = set()

    def keys(self) -> list[str]:
        """What to read before ``overtaken``."""
        return list(self._said)

    def writing(self, records: Sequence[NewRecord]) -> None:
        """These are under way."""
        self._writing.update(record.key for record in records)

    def written(self, records: Sequence[NewRecord], offsets: Sequence[int]) -> None:
        """These are durable, at ``offsets``; without offsets, they were not written after all."""
        self._writing.difference_update(record.key for record in records)
        if not self._shards.is_shared:
            return
        held = self._shards.held()
        for record, offset in zip(records, offsets, strict=bool(offsets)):
            since = held.get(record.partition or 0)
            self._said.pop(record.key, None)
            if since is not None:
                self._said[record.key] = _Said(record=record, offset=offset, since=since)
        for key in list(self._said)[: max(0, len(self._said) - KEPT)]:
            del self._said[key]

    def overtaken(self, stored: Mapping[str, Record]) -> list[NewRecord]:
        """What has to be said again, where ``stored`` is what the log says now."""
        return [
            said.record
            for key, said in self._said.items()
            if (found := stored.get(key)) is not None
            and found.offset > said.offset
            and found.value != said.record.value
            and key not in self._writing
            and self._shards.holds(said.record.partition or 0, said.since)
        ]
