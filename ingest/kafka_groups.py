"""Consumer groups of the Kafka log: who of this process is in which, and their offsets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from kafka import KafkaAdminClient
from kafka import errors as kafka
from kafka.admin import MemberToRemove

from ingest.errors import FencedError
from ingest.kafka_errors import FENCED, fenced, store_error, translated
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings
from ingest.log import Commit, Partition

NOBODY_YET = (
    kafka.CoordinatorLoadInProgressError,
    kafka.CoordinatorNotAvailableError,
    kafka.NotCoordinatorError,
)
"""Who keeps a group's offsets is being found, or has just changed."""

_PAUSE_SECONDS = 0.1


class Member(Protocol):
    """What a group knows of a consumer of this process."""

    def reached(self, partition: Partition) -> int:
        """The next offset to be polled; -1 where the partition is not its own."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the next offsets as this member."""

    def close(self) -> None:
        """Leave the group at once."""


class Groups:
    """The members in this process, and the offsets that Kafka keeps for each group."""

    def __init__(self, admin: KafkaAdminClient, names: Names, settings: KafkaSettings) -> None:
        self._admin = admin
        self._names = names
        self._settings = settings
        self._lock = threading.Lock()
        self._members: dict[str, dict[int, Member]] = {}

    def join(self, group: str, member: Member) -> int:
        """Enter ``member``; the lowest free number, so that a restart finds its own again."""
        with self._lock:
            members = self._members.setdefault(group, {})
            number = next(n for n in range(len(members) + 1) if n not in members)
            members[number] = member
            return number

    def leave(self, group: str, member: Member) -> None:
        """Take ``member`` out, if it is in."""
        with self._lock:
            members = self._members.get(group, {})
            for number in [n for n, one in members.items() if one is member]:
                del members[number]

    def owner(self, commit: Commit) -> Member | None:
        """Who of this process may store ``commit``; None where nobody here is in the group.

        Raises:
            FencedError: none of the group's members here owns the partitions and has read so far.
        """
        with self._lock:
            members = list(self._members.get(commit.group, {}).values())
        if not members:
            return None
        for member in members:
            if all(member.reached(one) >= at for one, at in commit.offsets.items()):
                return member
        raise fenced(f"nobody of {commit.group} here owns {sorted(commit.offsets)}")

    def store(self, commit: Commit) -> None:
        """Store ``commit``, as the member that owns its partitions or for an empty group.

        Raises:
            FencedError: the group has a live member, and none here owns the partitions.
        """
        owner = self.owner(commit)
        if owner is None:
            self.reset(commit.group, commit.offsets)
        else:
            owner.commit(commit.offsets)

    def committed(self, group: str) -> dict[Partition, int]:
        """The group's next offsets."""
        name = self._names.topic(group)
        with self._translated(group):
            found = self._patiently(lambda: self._admin.list_group_offsets(name)).get(name, {})
        return {
            self._names.partition(place): stored.offset
            for place, stored in found.items()
            if stored.offset >= 0
        }

    def reset(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Move a group that has no live member. Raises FencedError where it has one."""
        with self._lock:
            if self._members.get(group):
                raise _running(group, "this process has a member")
        with self._translated(group):
            places = self._names.offsets(offsets)
            answers = self._patiently(
                lambda: self._admin.alter_group_offsets(self._names.topic(group), places)
            )
        for place, error in answers.items():
            if issubclass(error, FENCED):
                raise _running(group, f"{place}: {error.__name__}")
            if error is not kafka.NoError:
                raise store_error(error(), self._settings.bootstrap, f"moving {group}")

    def remove(self, group: str, member: MemberToRemove) -> None:
        """Take a member with a lasting name out of the group at once.

        kafka-python leaves such a member in, to time out. One that a newer bearer of the name
        has replaced is not found any more, which is as good.
        """
        with self._translated(group):
            self._admin.remove_group_members(self._names.topic(group), [member])

    def close(self) -> None:
        """Close every member of this process."""
        with self._lock:
            members = [one for group in self._members.values() for one in group.values()]
        for member in members:
            member.close()

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """The answer; a Kafka whose first group this is needs seconds to have anybody for it."""
        until = time.monotonic() + self._settings.answer_seconds
        while True:
            try:
                return ask()
            except NOBODY_YET:
                if time.monotonic() > until:
                    raise
            time.sleep(_PAUSE_SECONDS)

    def _translated(self, group: str) -> AbstractContextManager[None]:
        return translated(self._settings.bootstrap, f"the group {self._names.topic(group)}")


def _running(group: str, why: str) -> FencedError:
    return FencedError(
        f"group {group} has a live member: {why}",
        sentence=f"The stage {group} is running; its place cannot be moved now.",
        hint="Stop it first.",
    )
