"""Tagging records by the topics in force: what the loop and the agents share."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.article import Sighting
from ingest.errors import MalformedRecordError
from ingest.log import Log, NewRecord, Record
from ingest.wire import decode, encode
from processors.pipeline import tag
from processors.restoring import TAGGED
from processors.tagging_process import TaggingProcess
from processors.topic_source import TopicSource


class Tagging:
    """Records of ``articles`` to records of ``tagged``. For one thread at a time.

    Raises:
        NewerSchemaError: a topic was written by a newer version.
    """

    def __init__(self, log: Log, process: TaggingProcess | None = None) -> None:
        self._topics = TopicSource(log)
        self._engine = self._topics.current()
        self._process = process
        self._made: dict[bytes, bytes | None] = {}

    def warm_up(self) -> None:
        """Start the process before there is work for it."""
        if self._process is not None:
            self._process.warm_up(self._topics.files)

    def begin(self, records: Sequence[Record]) -> None:
        """Take up changed topics, and tag ``records`` in one go where a process does it.

        Raises:
            NewerSchemaError: a topic was written by a newer version.
            UnavailableError: the log or the process cannot serve now.
        """
        self._engine = self._topics.current()
        if self._process is not None:
            values = [record.value for record in records if record.value]
            made = self._process.tag(values, self._topics.files)
            self._made = dict(zip(values, made, strict=True))

    def work(self, record: Record) -> Sequence[NewRecord]:
        """``record`` tagged; where that cannot be done, the error that tells why."""
        value = value_of(record)
        tagged = self._made.get(value) or self._tagged_alone(value)
        return [NewRecord(topic=TAGGED.topic, key=record.key, value=tagged, partition=0)]

    def _tagged_alone(self, value: bytes) -> bytes:
        if self._process is not None:
            made = self._process.tag_one(value, self._topics.files)
            if made is not None:
                return made
        return encode(tag(decode(Sighting, value), engine=self._engine))


def value_of(record: Record) -> bytes:
    """What ``record`` holds. Raises MalformedRecordError where it holds nothing."""
    if record.value is None:
        raise MalformedRecordError("a record without a value")
    return record.value
