"""What could not be processed: who, when, where, why, and the bytes themselves.

The topic ``quarantine`` holds one record a set-aside and one a change of state; the last of an
id counts. It carries the first 256 kB; the whole body lies beside the log under its hash.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

from ingest.errors import NotFoundError, UnavailableError
from ingest.log import Log, NewRecord, Partition
from ingest.wire import SCHEMA, Time, decode, encode

TOPIC = "quarantine"

RECORD_BYTES = 256 * 1024
"""Of the body, in the record; even where they do not compress, the record stays below 900 kB."""

WHOLE_BYTES = 15_000_000
"""Of the body, in the folder: the limit of an unpacked feed."""

FOLDER_BYTES = 1_000_000_000
"""All bodies together; the oldest go first, their records keep the first 256 kB."""

_REPEAT = timedelta(days=1)
"""The same body set aside again within this time is not written again."""

_SETTLING = timedelta(hours=1)
"""A body this young may belong to a record that is still on its way into the log."""

State = Literal["open", "retried", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One thing set aside.

    Attributes:
        id: Hash over stage, key and body: the same thing set aside again has the same id.
        stage: Which stage could not process it: ``poll``, ``tag``, ``group``, ``index``, ``alert``.
        why: A sentence; ``code`` is the error's stable code.
        key: The key of the record, or the feed id.
        topic: The log topic the record came from; empty for a feed's body.
        bytes: The first 256 kB, compressed (zlib), in base64; ``sha256`` is that of the whole.
        tries: How many times it was tried, once a day at most.
    """

    schema: int = SCHEMA
    id: str
    stage: str
    at: Time
    why: str
    code: str
    key: str
    topic: str = ""
    bytes: str = ""
    size: int = 0
    sha256: str = ""
    tries: int = 1
    state: State = "open"


class Quarantine:
    """The quarantine of one log; ``folder`` holds the whole bodies. For any thread.

    Attributes:
        made: Rows that this process made since its start, one more where a write is tried again.
    """

    def __init__(self, log: Log, folder: Path) -> None:
        self.made = 0
        self._log = log
        self._folder = folder
        self._gate = threading.Lock()
        self._next = 0
        self._known: dict[str, tuple[int, Quarantined]] = {}

    def put(
        self,
        stage: str,
        *,
        why: str,
        code: str,
        key: str,
        body: bytes,
        now: datetime,
        topic: str = "",
    ) -> NewRecord | None:
        """The record to append, together with whatever the caller appends.

        None where there is nothing to add: the same was set aside less than a day ago, or
        dropped by a person. The whole body is in the folder before this returns.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        sha256 = hashlib.sha256(body[:WHOLE_BYTES]).hexdigest()
        name = _id(stage, key, sha256)
        with self._gate:
            self._read_on()
            _, last = self._known.get(name, (0, None))
        if last and (last.state == "dropped" or _just_now(last, now)):
            return None
        self._save(sha256, body[:WHOLE_BYTES])
        with self._gate:
            self.made += 1
        return _record(
            Quarantined(
                id=name,
                stage=stage,
                at=now,
                why=why,
                code=code,
                key=key,
                topic=topic,
                bytes=base64.b64encode(zlib.compress(body[:RECORD_BYTES])).decode(),
                size=len(body),
                sha256=sha256,
                tries=last.tries + 1 if last else 1,
            )
        )

    def items(self) -> list[Quarantined]:
        """Everything set aside and not yet expired, oldest first; ``bytes`` left out."""
        with self._gate:
            self._read_on()
            return [known for _, known in sorted(self._known.values(), key=lambda pair: pair[0])]

    def get(self, name: str) -> Quarantined:
        """What has the id ``name``, with its bytes. Raises NotFoundError."""
        with self._gate:
            self._read_on()
            if name not in self._known:
                raise NotFoundError(
                    f"nothing in quarantine has the id {name}",
                    hint="wirewatch quarantine list shows the ids.",
                )
            offset, _ = self._known[name]
        return decode(Quarantined, self._value(offset))

    def bytes_of(self, name: str) -> bytes:
        """The body of ``name``: whole where the folder still has it, else its first 256 kB."""
        found = self.get(name)
        with suppress(FileNotFoundError):
            return (self._folder / found.sha256).read_bytes()
        return zlib.decompress(base64.b64decode(found.bytes))

    def drop(self, name: str) -> None:
        """Close ``name`` for good: the same body will not come back into the list.

        Raises:
            NotFoundError: there is no such row, or it was dropped before.
        """
        if self.get(name).state == "dropped":
            raise NotFoundError(
                f"there is nothing to drop: {name} was dropped before",
                hint="wirewatch quarantine list shows what is left.",
            )
        self._mark(name, "dropped")

    def erase(self, name: str) -> int:
        """Delete the bytes of ``name`` for good and close it; how many records still have some.

        The same body will not come back into the list.
        """
        with self._gate:
            self._read_on()
            offset, known = self._known.get(name, (0, None))
        if known is None:
            return 0
        if known.sha256:
            (self._folder / known.sha256).unlink(missing_ok=True)
            bare = replace(known, bytes="", sha256="", size=0, state="dropped")
            (offset,) = self._log.append([_record(bare)])
        return self._log.expunge(TOPIC, [name], spared=offset)

    def failed_again(
        self, stage: str, key: str, *, now: datetime, to: tuple[NewRecord, ...]
    ) -> tuple[NewRecord, ...]:
        """``to`` and the records that open again what of ``key`` was retried in vain.

        For a stage that fails without a body, or with another one than was set aside: what is
        the same again is in ``to`` already.
        """
        with self._gate:
            self._read_on()
            known = [item for _, item in self._known.values()]
        done = {record.key for record in to}
        whole = [
            self.get(one.id)
            for one in known
            if (one.stage, one.key, one.state) == (stage, key, "retried") and one.id not in done
        ]
        again = [replace(one, state="open", at=now, tries=one.tries + 1) for one in whole]
        return (*to, *map(_record, again))

    def mark_retried(self, name: str) -> None:
        """Note that ``name`` was handed to its stage again; a new failure opens it again."""
        self._mark(name, "retried")

    def clean(self, now: datetime) -> int:
        """Delete bodies that no record names, then the oldest above 1 GB; how many went."""
        if not self._folder.is_dir():
            return 0
        needed = {known.sha256 for known in self.items()}
        settled = (now - _SETTLING).timestamp()
        gone = total = 0
        for age, size, file in sorted(self._files(), reverse=True):
            total += size
            if (file.name not in needed and age < settled) or total > FOLDER_BYTES:
                file.unlink(missing_ok=True)
                gone += 1
        return gone

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for file in self._folder.iterdir():
            facts = file.stat()
            yield facts.st_mtime, facts.st_size, file

    def _save(self, sha256: str, body: bytes) -> None:
        target = self._folder / sha256
        try:
            if target.exists():
                target.touch()
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(target)
        except OSError as error:
            raise UnavailableError(
                f"cannot write {target}: {error}",
                sentence="The quarantine folder cannot be written.",
                hint="Free some space on the disk of the data folder, or correct its rights.",
            ) from error

    def _mark(self, name: str, state: State) -> None:
        self._log.append([_record(replace(self.get(name), state=state))])

    def _read_on(self) -> None:
        """Take in what was appended since, and forget what retention has deleted."""
        place = Partition(TOPIC)
        first, end = self._log.bounds(place)
        while self._next < end and (records := self._log.read(place, self._next)):
            for record in records:
                if record.value is not None:
                    known = replace(decode(Quarantined, record.value), bytes="")
                    self._known[known.id] = (record.offset, known)
            self._next = records[-1].offset + 1
        self._known = {
            name: (offset, known)
            for name, (offset, known) in self._known.items()
            if offset >= first
        }

    def _value(self, offset: int) -> bytes:
        records = self._log.read(Partition(TOPIC), offset, max_records=1)
        if not records or records[0].offset != offset or records[0].value is None:
            raise NotFoundError("this record has just expired")
        return records[0].value


def _id(stage: str, key: str, sha256: str) -> str:
    text = "\n".join((stage, key, sha256))
    # Hexadecimal: people give ids to the command line, where a leading hyphen is an option.
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _just_now(last: Quarantined, now: datetime) -> bool:
    return last.state == "open" and abs(now - last.at) < _REPEAT


def _record(item: Quarantined) -> NewRecord:
    return NewRecord(topic=TOPIC, key=item.id, value=encode(item))
