"""The inside of the tagging process: records of ``articles`` in, records of ``tagged`` out.

Imported by that process alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from ingest.article import Sighting
from ingest.errors import FileError
from ingest.wire import decode, encode
from processors.language import detect
from processors.pipeline import tag
from processors.topic import Topic
from processors.topic_file import load_topic
from processors.topics import TopicEngine

LENGTH_BYTES = 4

# Loads the language model: now, because it needs a file of its own to do so, which the limits
# of a sandbox forbid later; and so that no article waits for it.
detect("The ferry across the bay runs again from Monday morning, the harbour office said.")

_engine = [TopicEngine(())]
"""The one engine in use: of the topics that the parent sent last."""


def answer(header: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The answer to one call of ``processors.tagging_process``.

    With ``define`` the body is the topic files, in force from now on. Else it is a run of
    sightings, each behind its length: the records, None where one cannot be tagged (the parent
    finds out why).
    """
    if header.get("define"):
        _engine[0] = TopicEngine(list(_topics(body)))
        return {}
    return {"tagged": [_tagged(value, _engine[0]) for value in _cut(body)]}


def _topics(body: bytes) -> Iterator[Topic]:
    """Those that can be used, as ``topic_source.read_topics`` says in the parent."""
    for place, text in json.loads(body):
        with contextlib.suppress(FileError):  # the parent read it too, and logged why not
            yield load_topic(text, place=place)


def _cut(body: bytes) -> list[bytes]:
    values = []
    place = 0
    while place < len(body):
        start = place + LENGTH_BYTES
        place = start + int.from_bytes(body[place:start], "big")
        values.append(body[start:place])
    return values


def _tagged(value: bytes, engine: TopicEngine) -> str | None:
    try:
        return encode(tag(decode(Sighting, value), engine=engine)).decode()
    except Exception:  # noqa: BLE001 - the parent tags it again, and quarantines with the reason
        return None
