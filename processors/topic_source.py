"""The topics in force: the compacted topic ``topics``, as one engine."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from ingest.errors import FileError
from ingest.log import Log, Partition, Record
from ingest.wire import SCHEMA, decode
from processors.topic import Topic
from processors.topic_file import load_topic
from processors.topics import TopicEngine

TOPICS = "topics"

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFile:
    """The record of the ``topics`` topic, keyed ``<id>.<lang>``: a topic file as written."""

    id: str
    lang: str
    version: int
    text: str
    schema: int = SCHEMA


class TopicSource:
    """The engine of all topics in the log, built anew when one of them changes."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._end = -1
        self._engine = TopicEngine(())

    def current(self) -> TopicEngine:
        """The engine of all that stands in ``topics`` now.

        Raises:
            NewerSchemaError: a topic was written by a newer version.
        """
        end = self._log.bounds(Partition(TOPICS))[1]
        if end != self._end:
            found = [_read(record) for record in self._log.table(TOPICS).items()]
            self._engine = TopicEngine([topic for topic in found if topic])
            self._end = end
        return self._engine


def _read(record: Record) -> Topic | None:
    """The topic; None for one that cannot be used, so that the others go on tagging."""
    file = decode(TopicFile, record.value or b"")
    try:
        return load_topic(file.text, place=record.key)
    except FileError as error:
        _events.error("topic refused", topic=record.key, reason=error.sentence)
        return None
