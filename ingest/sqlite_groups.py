"""Consumer groups of the SQLite log.

Membership lives in this process's memory, since one process owns a data folder; only the
groups' offsets are in the file. A member learns of a new spread at its next call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingest.errors import FencedError
from ingest.log import Commit, Partition


class Member(Protocol):
    """What a group knows of a consumer."""

    topics: tuple[str, ...]

    def reached(self, partition: Partition) -> int:
        """The next offset to be polled; 0 before the first poll."""


@dataclass(slots=True)
class Group:
    """The live members of a group and who of them owns what."""

    members: list[Member] = field(default_factory=list)
    owners: dict[Partition, Member] = field(default_factory=dict)
    generation: int = 0


class Changes:
    """Lets who polls sleep until there is something new; no wake-up is lost between two calls."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._number = 0

    def number(self) -> int:
        """Grows with every commit to the log and every new spread."""
        return self._number

    def announce(self) -> None:
        """Wake all who wait."""
        with self._condition:
            self._number += 1
            self._condition.notify_all()

    def wait(self, number: int, timeout_seconds: float) -> bool:
        """Wait until ``number()`` is another than ``number``; False at time-out."""
        with self._condition:
            return self._condition.wait_for(lambda: self._number != number, timeout_seconds)


class Groups:
    """Who reads what; ``lock`` is held by the writer from a commit's check to its end."""

    def __init__(self, partitions: Callable[[str], int], changes: Changes) -> None:
        self.lock = threading.RLock()
        self._partitions = partitions
        self._changes = changes
        self._groups: dict[str, Group] = {}

    def join(self, name: str, member: Member) -> Group:
        """Add ``member`` and spread the partitions anew."""
        with self.lock:
            group = self._groups.setdefault(name, Group())
            group.members.append(member)
            self._spread(group)
        return group

    def leave(self, name: str, member: Member) -> None:
        """Take ``member`` out, if it is in; its partitions go to the others."""
        with self.lock:
            group = self._groups.get(name)
            if group is not None and member in group.members:
                group.members.remove(member)
                self._spread(group)

    def respread(self) -> None:
        """Spread all groups anew, after topics got more partitions."""
        with self.lock:
            for group in self._groups.values():
                self._spread(group)

    def owned(self, group: Group, member: Member) -> tuple[int, frozenset[Partition]]:
        """The generation, and what ``member`` owns in it."""
        with self.lock:
            mine = (part for part, owner in group.owners.items() if owner is member)
            return group.generation, frozenset(mine)

    def check(self, commit: Commit, member: Member | None = None) -> None:
        """Refuse a commit by another than the owner; a group without members has none.

        An append with a commit does not say who makes it. An owner that has not polled up to
        the offsets did not make it.

        Raises:
            FencedError: the partition belongs to another member, or to none of the live ones.
        """
        group = self._groups.get(commit.group)
        if member is None and (group is None or not group.members):
            return
        for partition, offset in commit.offsets.items():
            owner = group.owners.get(partition) if group else None
            unread = owner is not None and member is None and owner.reached(partition) < offset
            if owner is None or unread or (member is not None and owner is not member):
                raise _fenced(commit.group, partition)

    def check_empty(self, name: str) -> None:
        """Raise FencedError where group ``name`` has a live member."""
        group = self._groups.get(name)
        if group is not None and group.members:
            raise FencedError(
                f"group {name} has {len(group.members)} live members",
                sentence=f"The stage {name} is running; its place cannot be moved now.",
                hint="Stop it first.",
            )

    def _spread(self, group: Group) -> None:
        topics = sorted({topic for member in group.members for topic in member.topics})
        group.owners = {}
        for place, partition in enumerate(self._all(topics)):
            readers = [one for one in group.members if partition.topic in one.topics]
            group.owners[partition] = readers[place % len(readers)]
        group.generation += 1
        self._changes.announce()

    def _all(self, topics: Sequence[str]) -> list[Partition]:
        return [Partition(name, n) for name in topics for n in range(self._partitions(name))]


def _fenced(group: str, partition: Partition) -> FencedError:
    return FencedError(
        f"{group} does not own {partition.topic}/{partition.number} here any more",
        sentence=f"Another worker of {group} has taken over {partition.topic}.",
        hint="Nothing is lost: the new owner goes on from the last committed place.",
    )
