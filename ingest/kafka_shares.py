"""Which partitions a consumer has, and how far it has read each.

Changed by two threads: kafka-python's network thread says what came and went, the thread that
polls says where it reads. Nothing in here blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """Partitions that wait for their place, and when that was asked."""

    places: frozenset[TopicPartition]
    turn: int

    def __bool__(self) -> bool:
        return bool(self.places)


class Shares:
    """The partitions of one consumer: those read, with their next offset, and the fresh ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[TopicPartition, int] = {}
        self._fresh: set[TopicPartition] = set()
        self._turn = 0

    def places(self) -> dict[TopicPartition, int]:
        """The partitions that are read, with the next offset of each."""
        with self._lock:
            return dict(self._next)

    def fresh(self) -> Fresh:
        """The partitions that came and are not read yet."""
        with self._lock:
            return Fresh(places=frozenset(self._fresh), turn=self._turn)

    def came(self, places: Iterable[TopicPartition], client: KafkaConsumer) -> None:
        """Keep ``places`` paused until ``begin``."""
        with self._lock:
            self._turn += 1
            for place in places:
                self._next.pop(place, None)
                self._fresh.add(place)
                client.pause(place)

    def went(self, places: Iterable[TopicPartition]) -> None:
        """Forget ``places``."""
        with self._lock:
            self._turn += 1
            for place in places:
                self._next.pop(place, None)
                self._fresh.discard(place)

    def begin(
        self, starts: Mapping[TopicPartition, int], client: KafkaConsumer, *, turn: int
    ) -> None:
        """Read fresh partitions from ``starts`` on, unless shares moved since ``turn``."""
        with self._lock:
            if turn == self._turn:
                for place, offset in starts.items():
                    self._next[place] = offset
                    self._fresh.discard(place)
                    client.seek(place, offset)
                    client.resume(place)

    def seek(self, place: TopicPartition, offset: int, client: KafkaConsumer) -> bool:
        """Read on from ``offset``; whether the partition is read here at all."""
        with self._lock:
            if place not in self._next:
                return False
            self._next[place] = offset
            client.seek(place, offset)
            return True

    def advance(self, place: TopicPartition, offset: int) -> None:
        """The next offset of ``place``, if it is still here."""
        with self._lock:
            if place in self._next:
                self._next[place] = offset

    def pause(self, client: KafkaConsumer) -> None:
        """Take no records until ``resume``."""
        with self._lock:
            client.pause(*self._next)

    def resume(self, client: KafkaConsumer) -> None:
        """Take records again of all but the fresh partitions."""
        with self._lock:
            client.resume(*self._next)


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Tells ``shares`` of every change; called on the network thread."""

    def __init__(self, shares: Shares, client: KafkaConsumer) -> None:
        self._shares = shares
        self._client = client

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """They belong to another member now, or soon."""
        self._shares.went(revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """They went without us: the session had ended."""
        self._shares.went(lost)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """They are ours from now on."""
        self._shares.came(assigned, self._client)
