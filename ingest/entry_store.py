"""The ``entries`` topic by feed: what was seen under which key, and the records that change it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ingest.feeds import EntryState, Feed
from ingest.log import Log, NewRecord
from ingest.wire import decode, encode

TOPIC = "entries"


class EntryStore:
    """Entry records over the log. Reads on any thread; writes nothing itself."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def known(self, feed: Feed, keys: Collection[str]) -> Mapping[str, EntryState]:
        """The records of those of ``keys`` within ``feed`` that have one, read in one go."""
        records = self._log.table(TOPIC).many([_key(feed, key) for key in keys])
        prefix = _key(feed, "")
        return {
            key.removeprefix(prefix): decode(EntryState, record.value)
            for key, record in records.items()
            if record.value is not None
        }

    def items(self, feed: Feed) -> Iterator[tuple[str, EntryState]]:
        """Every key of ``feed`` with its record."""
        prefix = _key(feed, "")
        for record in self._log.table(TOPIC).items(prefix):
            if record.value is not None:
                yield record.key.removeprefix(prefix), decode(EntryState, record.value)

    def records(
        self, feed: Feed, changed: Mapping[str, EntryState], removed: Iterable[str] = ()
    ) -> list[NewRecord]:
        """The records that write ``changed`` and remove ``removed``."""
        number = feed.shard % self._log.partitions(TOPIC)
        values = [(key, encode(entry)) for key, entry in changed.items()]
        return [
            NewRecord(topic=TOPIC, key=_key(feed, key), value=value, partition=number)
            for key, value in (*values, *((key, None) for key in removed))
        ]


def _key(feed: Feed, key: str) -> str:
    return f"{feed.id}:{key}"
