"""How far each of our shards has come in ``stories`` and in its own subscriptions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ingest.lag import unread
from ingest.log import Log, NewRecord, Partition, Record, Table
from ingest.wire import decode, encode
from search.alert_state import TOPIC, Cursor, cursor_key


def stored_cursors(table: Table, shards: Collection[int]) -> dict[int, Cursor]:
    """The cursors of ``shards`` as ``alert-state`` has them; the beginning where it has none."""
    records = table.many([cursor_key(shard) for shard in shards])
    found = {}
    for shard in shards:
        record = records.get(cursor_key(shard))
        found[shard] = decode(Cursor, record.value) if record and record.value else Cursor()
    return found


def alert_lag(log: Log, shards: Collection[int]) -> int:
    """Records of ``stories``, and of the subscriptions of ``shards``, not durably handled there."""
    cursors = stored_cursors(log.table(TOPIC), shards)
    places = {
        Partition("stories", number): min(one.stories.get(number, 0) for one in cursors.values())
        for number in range(log.partitions("stories"))
        if cursors
    }
    places |= {Partition("subscriptions", one): at.subscriptions for one, at in cursors.items()}
    return unread(log, places)


class Cursors:
    """One place in ``stories`` that all our shards are read to, and those that are beyond it.

    A shard that comes to us may be behind the others: all is then read again from its place, and
    the others skip what they know. Shards move within seconds, so this is little. For one thread.
    """

    def __init__(self) -> None:
        self.reached: dict[int, int] = {}
        self._stored: dict[int, Cursor] = {}
        self._beyond: dict[int, Mapping[int, int]] = {}
        self._subscriptions: dict[int, int] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def add(self, cursors: Mapping[int, Cursor], *, partitions: int) -> None:
        """Take shards in; ``reached`` goes back to the first that one of them has not handled."""
        places: dict[int, Mapping[int, int]] = {shard: self.at(shard) for shard in self._stored}
        places |= {shard: cursor.stories for shard, cursor in cursors.items()}
        self._stored |= cursors
        self._subscriptions |= {shard: one.subscriptions for shard, one in cursors.items()}
        self.reached = {
            number: min((place.get(number, 0) for place in places.values()), default=0)
            for number in range(partitions)
        }
        self._beyond = places
        self._drop_met()

    def drop(self, shards: Collection[int]) -> None:
        """Forget ``shards``."""
        for shard in shards:
            for known in (self._stored, self._beyond, self._subscriptions):
                known.pop(shard, None)

    def at(self, shard: int) -> dict[int, int]:
        """The next offset of each partition of ``stories`` that ``shard`` has not handled."""
        beyond = self._beyond.get(shard, {})
        places = ((number, max(at, beyond.get(number, 0))) for number, at in self.reached.items())
        return {number: at for number, at in places if at}

    def past(self, record: Record) -> frozenset[int]:
        """The shards that have handled this story before."""
        number = record.partition.number
        return frozenset(
            shard for shard, at in self._beyond.items() if at.get(number, 0) > record.offset
        )

    def handled(self, record: Record) -> None:
        """Note that a story, or a change in a shard's subscriptions, is done with."""
        if record.partition.topic == "stories":
            self.reached[record.partition.number] = record.offset + 1
            if self._beyond:
                self._drop_met()
        else:
            self._subscriptions[record.partition.number] = record.offset + 1

    def unwritten(self) -> list[int]:
        """The shards that have come further than their stored cursor says."""
        return [shard for shard, stored in self._stored.items() if self._now(shard) != stored]

    def write(self, shards: Collection[int]) -> list[NewRecord]:
        """The records that store where ``shards`` are; they count as stored from now on."""
        made = []
        for shard in shards:
            self._stored[shard] = self._now(shard)
            value = encode(self._stored[shard])
            made.append(NewRecord(topic=TOPIC, key=cursor_key(shard), value=value, partition=shard))
        return made

    def _now(self, shard: int) -> Cursor:
        stored = self._stored[shard]
        return replace(stored, stories=self.at(shard), subscriptions=self._subscriptions[shard])

    def _drop_met(self) -> None:
        self._beyond = {
            shard: place
            for shard, place in self._beyond.items()
            if any(at > self.reached.get(number, 0) for number, at in place.items())
        }
