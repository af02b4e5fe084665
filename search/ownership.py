"""Which shards of the subscriptions are ours to alert for, and since which generation."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from ingest.log import Log, Record
from ingest.shards import Shards

GROUP, LIST = "alert", "subscriptions"


class Ownership(Protocol):
    """What the loops of alerts ask before they act and before they write. From any thread."""

    @property
    def is_shared(self) -> bool:
        """Whether a shard may move: another process may then have written to it late."""

    def held(self) -> Mapping[int, int]:
        """The shards that are ours, each with the generation since which it is."""

    def holds(self, shard: int, generation: int) -> bool:
        """Whether ``shard`` is still ours, without a break since ``generation``."""


class Whole:
    """The only shard of a log in one file, whose folder is locked."""

    is_shared = False

    def held(self) -> Mapping[int, int]:
        """All there is."""
        return {0: 0}

    def holds(self, shard: int, generation: int) -> bool:  # noqa: ARG002 - as the port has it
        """Always."""
        return True


class SharedOwnership:
    """The shards that the group ``alert`` has given to this process; ``run`` in a thread.

    Args:
        lease_seconds: As in ``ingest.shards.Shards``.
    """

    is_shared = True

    def __init__(self, log: Log, *, lease_seconds: float) -> None:
        self._shards = Shards(log, self, group=GROUP, topic=LIST, lease_seconds=lease_seconds)

    def run(self, stop: threading.Event) -> None:
        """Take part in the group until ``stop`` is set. Raises as ``Shards.run``."""
        self._shards.run(stop)

    @property
    def pause(self) -> str:
        """Why the group cannot be heard, as a sentence; empty while it can."""
        return self._shards.pause

    def held(self) -> Mapping[int, int]:
        """The shards that are ours now."""
        found = {one: self._shards.generation(one) for one in self._shards.owned()}
        return {shard: generation for shard, generation in found.items() if generation >= 0}

    def holds(self, shard: int, generation: int) -> bool:
        """Whether ``shard`` has been ours since ``generation``, and the lease runs."""
        return generation >= 0 and self._shards.generation(shard) == generation

    def gained(self, partition: int, records: Sequence[Record]) -> None:
        """Nothing: the loops look at ``held``, and read the list from their own cursor."""

    def changed(self, records: Sequence[Record]) -> None:
        """Nothing: changes are read in their order between the stories (``search.timeline``)."""

    def lost(self, partitions: frozenset[int]) -> None:
        """Nothing: the loops ask ``holds`` before each write."""
