"""A compacted topic by key: a file beside the log, read to the end before every answer.

A file and not memory: stories reach back as far as search does. It is thrown away at the end and
made anew at the start: Kafka forgets a removed key after a day, so that a file kept over a longer
pause would bring it back.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from ingest.errors import ForeignStoreError
from ingest.kafka_errors import closed, translated, unreachable
from ingest.kafka_names import Names
from ingest.kafka_reader import open_reader
from ingest.kafka_settings import KafkaSettings
from ingest.log import Partition, Record

_PAGE = 500
_BATCH = 2_000
_SLICE_MS = 200

_STALE_SECONDS = 12 * 3600.0
"""Half of what Kafka keeps a removal for: a table not asked for longer is read anew."""

_TABLE = """create table latest(key text primary key, part integer not null,
    at integer not null, appended integer not null, value blob not null) without rowid"""


class KafkaTable:
    """``ingest.log.Table`` of a compacted topic; safe from any thread."""

    def __init__(
        self,
        topic: str,
        *,
        names: Names,
        settings: KafkaSettings,
        partitions: Callable[[str], list[Partition]],
    ) -> None:
        self._topic = topic
        self._names = names
        self._settings = settings
        self._partitions = partitions
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="wirewatch-table-")
        self._client: KafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}
        self._read_at = 0.0
        self._closed = False
        self._rows = _open(Path(self._folder.name) / "table.sqlite")

    def get(self, key: str) -> Record | None:
        """The last record of ``key``."""
        return self.many([key]).get(key)

    def many(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The last records of those of ``keys`` that have one, read in one go."""
        found: dict[str, Record] = {}
        wanted = list(keys)
        with self._lock:
            self._catch_up()
            for start in range(0, len(wanted), _PAGE):
                page = wanted[start : start + _PAGE]
                places = ", ".join("?" * len(page))
                rows = self._rows.execute(f"{_SELECT} where key in ({places})", page)
                found.update((row[0], self._record(row)) for row in rows)
        return found

    def items(self, prefix: str = "") -> Iterator[Record]:
        """The last record of every key that starts with ``prefix``, by key.

        Read a page at a time: a change made meanwhile may show for the keys still to come.
        """
        after, sign = prefix, ">="
        while True:
            with self._lock:
                self._catch_up()
                rows = self._rows.execute(
                    f"{_SELECT} where key {sign} ? order by key limit ?", (after, _PAGE)
                ).fetchall()
            for row in rows:
                if not row[0].startswith(prefix):
                    return
                yield self._record(row)
            if len(rows) < _PAGE:
                return
            after, sign = rows[-1][0], ">"

    def close(self) -> None:
        """Throw the file away."""
        with self._lock:
            self._closed = True
            if self._client is not None:
                self._client.close()
            self._rows.close()
            self._folder.cleanup()

    def _catch_up(self) -> None:
        """Read to the end as it is now.

        Raises:
            ForeignStoreError: the topic ends before what was already read.
            UnavailableError: no answer in time.
        """
        if self._closed:
            raise closed()
        name = self._names.topic(self._topic)
        with translated(self._settings.bootstrap, f"reading {name}"):
            client = self._reading()
            ends = client.end_offsets(
                list(self._next), timeout_ms=round(self._settings.answer_seconds * 1000)
            )
            self._read_to(ends, client)
        self._read_at = time.monotonic()

    def _reading(self) -> KafkaConsumer:
        """The consumer, at its place in every partition there is."""
        if time.monotonic() - self._read_at > _STALE_SECONDS:
            self._rows.execute("delete from latest")
            self._next = {}
        places = [self._names.place(one) for one in self._partitions(self._topic)]
        if self._client is None or len(places) != len(self._next):
            if self._client is not None:  # it does not know the partitions that came later
                self._client.close()
                self._client = None
            self._client = open_reader(self._settings)
            self._next = {place: self._next.get(place, 0) for place in places}
            self._client.assign(places)
            for place, offset in self._next.items():
                self._client.seek(place, offset)
        return self._client

    def _read_to(self, ends: Mapping[TopicPartition, int], client: KafkaConsumer) -> None:
        if any(self._next[place] > end for place, end in ends.items()):
            raise self._older(ends)  # asked before: what we read now may have come after ``ends``
        until = time.monotonic() + self._settings.answer_seconds
        while behind := [place for place, end in ends.items() if self._next[place] < end]:
            batches = client.poll(_SLICE_MS, max_records=_BATCH)
            for place, messages in batches.items():
                self._store(place, messages)
            if batches:
                until = time.monotonic() + self._settings.answer_seconds
                continue
            for place in behind:  # compaction may have taken the last records before the end
                self._next[place] = (
                    client.position(place, timeout_ms=_SLICE_MS) or self._next[place]
                )
            if time.monotonic() > until:
                raise unreachable(self._settings.bootstrap, f"reading {behind} stalled")

    def _store(self, place: TopicPartition, messages: list[Any]) -> None:
        if messages[0].offset < self._next[place]:
            raise self._older({place: messages[0].offset})
        last = {(message.key or b"").decode(errors="replace"): message for message in messages}
        self._rows.execute("begin")
        self._rows.executemany(
            "delete from latest where key = ?",
            [(key,) for key, message in last.items() if message.value is None],
        )
        self._rows.executemany(
            "insert or replace into latest(key, part, at, appended, value) values (?, ?, ?, ?, ?)",
            [
                (key, place.partition, message.offset, message.timestamp, message.value)
                for key, message in last.items()
                if message.value is not None
            ],
        )
        self._rows.execute("commit")
        self._next[place] = messages[-1].offset + 1

    def _record(self, row: tuple[str, int, int, int, bytes]) -> Record:
        key, part, offset, appended, value = row
        return Record(
            partition=Partition(self._topic, part),
            offset=offset,
            key=key,
            value=value,
            appended=datetime.fromtimestamp(appended / 1000, UTC),
        )

    def _older(self, ends: Mapping[TopicPartition, int]) -> ForeignStoreError:
        return ForeignStoreError(
            f"{self._topic} was read to {self._next} and ends at {ends}",
            sentence=f"Kafka's topic {self._names.topic(self._topic)} has lost records that were "
            "already read.",
            hint="Restore Kafka's data, then start this stage again.",
        )


_SELECT = "select key, part, at, appended, value from latest"


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = off")  # nobody reads this file after a crash
    connection.execute("pragma synchronous = off")
    connection.execute(_TABLE)
    return connection
