"""One built index in a folder of its own: documents in, searchers out."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import tantivy

from ingest.errors import StoreError, UnavailableError
from processors.records import StoryRecord
from search.index import Checkpoint, WriteResult
from search.stored_fields import find, order_of, record_at
from search.tantivy_schema import SCHEMA, open_index, prepared
from search.tantivy_writer import Made, Writer, read_checkpoint

HEAP_BYTES = 32_000_000
"""Of the writer's buffer: some 5,000 articles; the engine's least is 15 MB."""


class Generation:
    """The index in ``folder``. Searched from any thread; one write at a time."""

    def __init__(self, folder: Path, *, heap_bytes: int = HEAP_BYTES) -> None:
        self.folder = folder
        self._gate = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._index = open_index(str(folder))
            self._index.reload()
        except ValueError as error:
            raise StoreError(
                f"cannot open {folder}: {error}",
                sentence=f"The index in {folder} cannot be read.",
                hint="Restore it, or delete that folder and run: wirewatch reindex",
            ) from error
        self._writer = Writer(self._index, heap_bytes=heap_bytes)
        self.fault = ""

    def searcher(self) -> tantivy.Searcher:
        """A view of the last refresh; it does not change."""
        return self._index.searcher()

    def refresh(self) -> None:
        """Let new searchers see what is committed."""
        self._index.reload()

    def checkpoint(self) -> Checkpoint | None:
        """What was stored with the last documents."""
        return read_checkpoint(self.searcher())

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``."""
        with self._gate:
            made, rejected = self._prepared(stories)
            without = {*made, *removed}
            made |= {one.article_id: one for one in self._linked(links or {}, without=without)}
            try:
                rejected |= self._writer.store(
                    [*made.values()], None if rejected else checkpoint, removed=removed
                )
            except UnavailableError as error:
                self.fault = error.sentence
                raise
            self.fault = ""
            return WriteResult(written=len(stories) - len(rejected), rejected=rejected)

    def close(self) -> None:
        """Let merges finish and free the lock."""
        with self._gate:
            self._writer.close()

    def _prepared(self, stories: Sequence[StoryRecord]) -> tuple[dict[str, Made], dict[str, str]]:
        searcher = self.searcher()
        newest: dict[str, StoryRecord] = {}
        for record in stories:
            known = newest.get(record.article.id)
            if known is None or known.order < record.order:
                newest[record.article.id] = record
        made: dict[str, Made] = {}
        rejected: dict[str, str] = {}
        for name, record in newest.items():
            try:
                if order_of(searcher, name) < record.order:
                    made[name] = Made(name, record.order, prepared(record))
            except (ValueError, OverflowError, TypeError) as error:
                rejected[name] = str(error)[:500] or type(error).__name__
        return made, rejected

    def _linked(self, links: Mapping[str, str], *, without: Collection[str]) -> Iterator[Made]:
        """The documents of absorbed stories in their surviving ones, at their own version."""
        searcher = self.searcher()
        for absorbed, survivor in links.items():
            for record in story_records(searcher, absorbed, most=searcher.num_docs):
                if record.article.id not in without:
                    moved = replace(record, story_id=survivor)
                    yield Made(record.article.id, record.order, prepared(moved))


def get_record(searcher: tantivy.Searcher, article_id: str) -> StoryRecord | None:
    """The record of ``article_id``."""
    address = find(searcher, article_id)
    return None if address is None else record_at(searcher, address)


def story_records(searcher: tantivy.Searcher, story_id: str, *, most: int) -> Iterator[StoryRecord]:
    """The records of a story, oldest first."""
    query = tantivy.Query.term_query(SCHEMA, "story", story_id)
    hits = searcher.search(
        query, max(1, most), count=False, order_by_field="place", order=tantivy.Order.Asc
    ).hits
    for _, address in hits:
        yield record_at(searcher, address)
