"""The topics in force: the compacted topic ``topics``, as one engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """The engine of all topics in the log, built anew when one of them changes.

    Attributes:
        files: Place and text of each topic file, as of the last ``current``.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._end = -1
        self._engine = TopicEngine(())
        self.files: tuple[tuple[str, str], ...] = ()

    def current(self) -> TopicEngine:
        """The engine of all that stands in ``topics`` now.

        Raises:
            NewerSchemaError: a topic was written by a newer version.
        """
        end = self._log.bounds(Partition(TOPICS))[1]
        if end != self._end:
            self.files = tuple(map(_file, self._log.table(TOPICS).items()))
            self._engine = TopicEngine(read_topics(self.files))
            self._end = end
        return self._engine


def read_topics(files: Iterable[Sequence[str]]) -> list[Topic]:
    """The topics of (place, text) pairs; one that cannot be used is left out, the others tag on."""
    found = []
    for place, text in files:
        try:
            found.append(load_topic(text, place=place))
        except FileError as error:
            _events.error("topic refused", topic=place, reason=error.sentence)
    return found


def _file(record: Record) -> tuple[str, str]:
    return record.key, decode(TopicFile, record.value or b"").text
