"""The process that searches: reads requests from a channel and answers them, until that ends.

It reads the embedded index beside the process that writes it, and never writes.
"""

from __future__ import annotations

import gc
import pickle
import socket
from pathlib import Path
from typing import Any

import tantivy

from ingest.errors import WirewatchError
from search.answer import result_of
from search.frames import receive, send
from search.index import SearchRequest
from search.tantivy_schema import open_index
from search.tantivy_search import TantivyEngine

CURRENT = "current"
META = "meta.json"


class Reader:
    """The newest committed state of the index in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = ""
        self._written = 0
        self._index: tantivy.Index

    def searcher(self) -> tantivy.Searcher:
        """A view of what is committed now, in the generation that is in force now."""
        number = (self._path / CURRENT).read_text()
        if number != self._number:
            self._index = open_index(str(self._path / number))
            self._number, self._written = number, 0
        written = (self._path / number / META).stat().st_mtime_ns
        if written != self._written:
            self._written = written
            self._index.reload()
        return self._index.searcher()


def serve(descriptor: int, path: str) -> None:
    """Answer until the other end of the channel is closed."""
    reader = Reader(Path(path))
    with socket.socket(fileno=descriptor) as channel:
        reader.searcher()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # articles that are kept are no garbage
        send(channel, b"ready")
        while frame := receive(channel):
            send(channel, pickle.dumps(_answer(reader, pickle.loads(frame))))  # noqa: S301 - ours


def _answer(reader: Reader, request: SearchRequest) -> Any:
    """The result, or the error that says what is wrong with the request."""
    try:
        return result_of(TantivyEngine(reader.searcher()), request)
    except WirewatchError as error:
        return error
