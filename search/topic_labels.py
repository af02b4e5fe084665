"""What topics are called: their labels, as the log has them now."""

from __future__ import annotations

from functools import lru_cache

from ingest.errors import FileError, MalformedRecordError, NewerSchemaError
from ingest.log import Log
from ingest.wire import decode
from processors.topic_file import load_topic
from processors.topic_source import TOPICS, TopicFile


class TopicLabels:
    """Topics by id, for what people read. From any thread."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def label(self, topic: str) -> str:
        """What ``topic`` is called, in English where it has several files; else its id."""
        files = {one.key: one for one in self._log.table(TOPICS).items(f"{topic}.")}
        wanted = files.get(f"{topic}.en") or next(iter(files.values()), None)
        return (_label(wanted.key, wanted.value or b"") if wanted else "") or topic


@lru_cache(maxsize=1_000)
def _label(place: str, value: bytes) -> str:
    """Of a topic file that cannot be read nothing: a message goes out with the id then."""
    try:
        return load_topic(decode(TopicFile, value).text, place=place).label
    except (FileError, MalformedRecordError, NewerSchemaError):
        return ""
