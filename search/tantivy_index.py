"""The embedded index: one folder, in it the generation in force and what is being built.

``reindex`` builds the next generation beside it and switches; whoever searches meanwhile
notices nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from ingest.errors import StoreError, UnavailableError
from processors.query_tree import Query
from processors.records import StoryRecord
from search.answer import hits_a_day_of, result_of, total_of
from search.generation import HEAP_BYTES, Generation, get_record, story_records
from search.index import Checkpoint, SearchRequest, SearchResult, Volume, WriteResult
from search.search_processes import AT_ONCE, SearchProcesses
from search.stored_fields import count
from search.tantivy_queries import everything
from search.tantivy_schema import VERSION
from search.tantivy_search import TantivyEngine
from search.volume import volume_of

MAX_STORY = 200
"""Articles of a story that are shown."""

_CURRENT = "current"
_MARK = "schema.json"
_events = structlog.get_logger(__name__)


class TantivyIndex:
    """The Index port over Tantivy. For any thread; one process writes.

    A write and ``replace_by`` must not overlap: the indexer sees to that.
    """

    def __init__(
        self, path: Path, *, heap_bytes: int = HEAP_BYTES, processes: SearchProcesses | None = None
    ) -> None:
        """Open the index in the folder ``path``, or make it; ``processes`` help to search.

        Raises:
            StoreError: it cannot be read.
        """
        self._path = path
        self._heap_bytes = heap_bytes
        self._gate = threading.Lock()
        self._searching = 0  # about: a look at it decides nothing but whether help is started
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._processes = processes
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number, self._outdated = self._number_in_force()
        self._generation = self._open(self._number, outdated=self._outdated)
        self._name(self._number)
        self._sweep()

    @property
    def outdated(self) -> str:
        """Why it begins empty although articles were indexed before; else empty."""
        return self._outdated if self.checkpoint() is None else ""

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``: one commit for documents and checkpoint."""
        return self._generation.write(stories, checkpoint=checkpoint, links=links, removed=removed)

    def checkpoint(self) -> Checkpoint | None:
        """What the last write with a checkpoint stored."""
        return self._generation.checkpoint()

    def search(self, request: SearchRequest) -> SearchResult:
        """The page that ``request`` asks for.

        Raises:
            QueryError: above the work limits.
            UsageError: a cursor, facet, interval or size that cannot be.
        """
        started = time.perf_counter()
        self._searching += 1
        try:
            with self._turns:
                result = self._elsewhere(request) or result_of(self._engine(), request)
        finally:
            self._searching -= 1
        return replace(result, took_ms=(time.perf_counter() - started) * 1000)

    def _elsewhere(self, request: SearchRequest) -> SearchResult | None:
        """The result of another process, where there is one that is free."""
        if self._processes is None:
            return None
        return self._processes.search(request, is_urgent=self._searching > 1)

    def count(self, query: Query) -> int:
        """How many articles ``query`` finds; up to 20,000 where candidates are verified."""
        return total_of(self._engine(), SearchRequest(query=query))

    def get(self, article_id: str) -> StoryRecord | None:
        """One article as it was last written."""
        return get_record(self._generation.searcher(), article_id)

    def story(self, story_id: str) -> Sequence[StoryRecord]:
        """The articles of a story, oldest first, at most ``MAX_STORY``."""
        return [*story_records(self._generation.searcher(), story_id, most=MAX_STORY)]

    def hits_a_day(self, query: Query) -> float:
        """Articles that ``query`` found a day, over the last 30 days that are indexed."""
        return hits_a_day_of(self._engine(), query)

    def volume(self, query: Query, *, since: datetime, until: datetime) -> Volume:
        """What ``query`` found in a span of time. Raises QueryError above the work limits."""
        return volume_of(self._engine(), query, since=since, until=until)

    def refresh(self) -> None:
        """Make everything written before visible."""
        self._generation.refresh()

    def health(self) -> Mapping[str, str]:
        """Facts for ``doctor``."""
        searcher = self._generation.searcher()
        size = sum(map(_size, self._generation.folder.iterdir()))
        return {
            "articles": f"{count(searcher, everything()):,}",
            "segments": str(searcher.num_segments),
            "size": f"{size / 1e6:,.1f} MB",
            "state": self._generation.fault or self.outdated or "ok",
        }

    def successor(self) -> Successor:
        """An empty generation beside this one.

        Raises:
            UnavailableError: one is being built already.
        """
        number = self._number + 1
        if (self._path / str(number)).exists():
            raise UnavailableError(
                "a rebuild is running", sentence="The index is being rebuilt already.", retry=False
            )
        return Successor(self, self._open(number))

    def replace_by(self, generation: Generation) -> None:
        """Search and write ``generation`` from now on; what was before is deleted."""
        with self._gate:
            before, self._generation = self._generation, generation
            self._number = int(generation.folder.name)
            self._name(self._number)
        before.close()
        shutil.rmtree(before.folder, ignore_errors=True)

    def close(self) -> None:
        """Finish merges and let go of the lock."""
        if self._processes is not None:
            self._processes.close()
        self._generation.close()

    def _engine(self) -> TantivyEngine:
        return TantivyEngine(self._generation.searcher())

    def _number_in_force(self) -> tuple[int, str]:
        """The number of the generation to open, and why it begins empty if it does."""
        try:
            number = int((self._path / _CURRENT).read_text())
        except FileNotFoundError:
            return 1, ""
        except ValueError as error:
            raise StoreError(
                f"{self._path / _CURRENT}: {error}",
                sentence=f"The file {self._path / _CURRENT} does not name an index.",
                hint=f"Delete {self._path} and run: wirewatch reindex",
            ) from error
        mark = self._path / str(number) / _MARK
        if not mark.exists():
            return number, ""
        known = json.loads(mark.read_text())
        if known["version"] == VERSION:
            return number, known["outdated"]
        sentence = (
            f"The index was made with fields of version {known['version']}, this Wirewatch uses "
            f"{VERSION}: it is built anew from the log."
        )
        _events.warning("index is built anew", reason=sentence)
        return number + 1, sentence

    def _open(self, number: int, *, outdated: str = "") -> Generation:
        folder = self._path / str(number)
        generation = Generation(folder, heap_bytes=self._heap_bytes)
        mark = folder / _MARK
        if not mark.exists():
            mark.write_text(json.dumps({"version": VERSION, "outdated": outdated}))
        return generation

    def _name(self, number: int) -> None:
        """Make ``number`` the generation in force, at once or not at all."""
        target = self._path / _CURRENT
        draft = self._path / f"{_CURRENT}.new"
        with draft.open("w") as file:
            file.write(str(number))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)

    def _sweep(self) -> None:
        """Delete generations that a crash left behind."""
        for folder in self._path.iterdir():
            if folder.name.isdigit() and int(folder.name) != self._number:
                shutil.rmtree(folder, ignore_errors=True)


def _size(file: Path) -> int:
    """Bytes of ``file``; none where a merge has just deleted it."""
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0


class Successor:
    """A generation that is being filled."""

    def __init__(self, index: TantivyIndex, generation: Generation) -> None:
        self._index = index
        self._generation = generation

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``."""
        return self._generation.write(stories, checkpoint=checkpoint, links=links, removed=removed)

    def take_over(self) -> None:
        """Be the index in force from now on."""
        self._index.replace_by(self._generation)

    def discard(self) -> None:
        """Delete what was built."""
        self._generation.close()
        shutil.rmtree(self._generation.folder, ignore_errors=True)
