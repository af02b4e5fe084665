"""What the log already says about the articles of a batch."""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

from ingest.log import Record, Table
from ingest.wire import decode

Found = TypeVar("Found")


class Known(Generic[Found]):
    """The last record of an article: as decided in this batch, else as the table has it.

    A batch is looked up in one go: at each look-up other threads go first, for milliseconds.
    """

    def __init__(self, kind: type[Found], table: Table) -> None:
        self._kind = kind
        self._table = table
        self._read: dict[str, Record | None] = {}
        self._decided: dict[str, Found] = {}

    def read(self, keys: Collection[str]) -> None:
        """Look up the articles of a batch."""
        self._read = {**dict.fromkeys(keys), **self._table.many(keys)}

    def get(self, key: str) -> Found | None:
        """The last record of ``key``, if any."""
        if key in self._decided:
            return self._decided[key]
        record = self._read[key] if key in self._read else self._table.get(key)
        return decode(self._kind, record.value) if record and record.value else None

    def put(self, key: str, decided: Found) -> None:
        """Take in what is about to be written."""
        self._decided[key] = decided

    def forget(self) -> None:
        """End the batch: all of it is written, or will be decided again."""
        self._read = {}
        self._decided = {}
