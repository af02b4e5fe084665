"""A search over one view of the embedded index: pages, totals, facets, highlights.

Where the engine's query is exact, it counts. Else the matcher verifies its candidates over the
stored words, up to ``EXACT_CANDIDATES`` of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

import tantivy

from ingest.errors import UsageError
from processors.document import document
from processors.query_tree import Query
from processors.records import StoryRecord
from processors.reference import matches, spans
from search.cursor import Cursor, read_cursor, write_cursor
from search.engine_queries import all_of, between, nothing
from search.facets import facets_of, histogram_of
from search.highlights import highlighted
from search.index import (
    EXACT_CANDIDATES,
    MAX_SIZE,
    Highlights,
    Hit,
    SearchRequest,
    SearchResult,
)
from search.rows import Row, by_score, by_time
from search.stored_fields import bytes_at, count, record_at, text_at
from search.stored_words import unpack
from search.tantivy_schema import SCHEMA, WORDS, place, time_of
from search.translate import check_words, translate

MAX_POSITION = 10_000
"""Hits by relevance behind which nobody looks; by time pages go on to the end."""


class View:
    """Searches for one query in one view of the index."""

    def __init__(self, searcher: tantivy.Searcher, request: SearchRequest) -> None:
        self._searcher = searcher
        self._request = request
        self._query: Query = request.query
        self._tired: Row | None = None
        check_words(self._query)
        try:
            self._base, self.exact, self._candidates = self._translated(patterns_in_phrases=True)
        except ValueError:  # the wildcards of a phrase stand for more words than the engine takes
            self._base, self.exact, self._candidates = self._translated(patterns_in_phrases=False)

    def _translated(self, *, patterns_in_phrases: bool) -> tuple[tantivy.Query, bool, int]:
        found = translate(self._query.root, patterns_in_phrases=patterns_in_phrases)
        clauses = [found.query]
        if self._request.since or self._request.until:
            clauses.append(between("seen", self._request.since, self._request.until))
        base = all_of(clauses)
        # Counted here: the engine looks up the wildcards of phrases only when it searches.
        return base, found.exact, count(self._searcher, base)

    def result(self) -> SearchResult:
        """The page, totals, facets and histogram that were asked for."""
        request = self._request
        if not 1 <= request.size <= MAX_SIZE:
            raise UsageError(
                f"a page of {request.size} hits", hint=f"Ask for 1 to {MAX_SIZE} hits a page."
            )
        cursor = read_cursor(request.after, sort=request.sort)
        rows, after = self._page(cursor)
        scope = self._scope if request.facets or request.interval else self._base
        return SearchResult(
            hits=tuple(self._hits(rows)),
            total=self.total,
            relation="eq" if self.is_total_exact else "gte",
            after=after,
            facets=facets_of(self._searcher, scope, request.facets) if request.facets else None,
            histogram=(
                histogram_of(self._searcher, scope, request.interval) if request.interval else None
            ),
        )

    @cached_property
    def total(self) -> int:
        """How many articles match; a lower bound unless ``is_total_exact``."""
        return self._candidates if self.exact else len(self._verified)

    @property
    def is_total_exact(self) -> bool:
        """Whether ``total`` is no lower bound."""
        return self.exact or self._candidates <= EXACT_CANDIDATES

    @cached_property
    def _verified(self) -> list[Row]:
        """What matches among the newest candidates, newest first."""
        newest = by_time(self._searcher, self._base, newest_first=True)
        return [row for row in islice(newest, EXACT_CANDIDATES) if self._matches(row)]

    @property
    def _scope(self) -> tantivy.Query:
        """A query that finds exactly what is counted."""
        if self.exact:
            return self._base
        if not self._verified:
            return nothing()
        ids = [self._id(row) for row in self._verified]
        return tantivy.Query.term_set_query(SCHEMA, "id", ids)

    def _page(self, cursor: Cursor | None) -> tuple[list[Row], str]:
        """The rows of the page, and the cursor behind them where there is more."""
        sort, size = self._request.sort, self._request.size
        found = [*islice(self._rows(cursor), size + 1)]
        rows = found[:size]
        if len(found) <= size and self._tired is None:
            return rows, ""
        if sort == "relevance":
            position = (cursor.position if cursor else 0) + len(rows)
            return rows, write_cursor(Cursor(sort=sort, position=position))
        last = rows[-1] if len(found) > size else self._tired or rows[-1]
        behind = Cursor(sort=sort, ms=time_of(last.place), article_id=self._id(last))
        return rows, write_cursor(behind)

    def _rows(self, cursor: Cursor | None) -> Iterator[Row]:
        """What matches, in order, from the cursor on; one a story where that was asked for."""
        if self._request.sort == "relevance":
            position = cursor.position if cursor else 0
            ranked = by_score(self._searcher, self._base, most=EXACT_CANDIDATES)
            return islice(self._chosen(self._matching(ranked)), position, MAX_POSITION)
        if self.is_total_exact and not self.exact:
            rows = iter(self._verified if self._request.sort == "newest" else self._verified[::-1])
            return self._chosen((row for row in rows if self._is_behind(row, cursor)), cursor)
        return self._chosen(self._matching(self._timed(self._base, cursor)), cursor)

    def _is_behind(self, row: Row, cursor: Cursor | None) -> bool:
        if cursor is None:
            return True
        mine = row.place, self._id(row)
        edge = place(cursor.ms, cursor.article_id), cursor.article_id
        return mine < edge if self._request.sort == "newest" else mine > edge

    def _timed(self, query: tantivy.Query, cursor: Cursor | None) -> Iterator[Row]:
        newest_first = self._request.sort == "newest"
        return by_time(self._searcher, query, newest_first=newest_first, behind=cursor)

    def _chosen(self, rows: Iterator[Row], cursor: Cursor | None = None) -> Iterator[Row]:
        """``rows``, or of each story the first: those shown on earlier pages are left out."""
        if not self._request.group:
            yield from rows
            return
        shown: set[str] = set()
        for row in rows:
            story = text_at(self._searcher, row.address, "story")
            if story not in shown:
                shown.add(story)
                if cursor is None or self._is_first_of(story, row):
                    yield row

    def _is_first_of(self, story: str, row: Row) -> bool:
        """Whether no article of ``story`` was shown on an earlier page."""
        of_story = tantivy.Query.term_query(SCHEMA, "story", story)
        first = next(self._matching(self._timed(all_of([self._base, of_story]), None)))
        return self._id(first) == self._id(row)

    def _matching(self, rows: Iterator[Row]) -> Iterator[Row]:
        if self.exact:
            return rows
        return self._tested(rows)

    def _tested(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Those of ``rows`` that match, until so many were looked at."""
        last = None
        for last in islice(rows, EXACT_CANDIDATES):
            if self._matches(last):
                yield last
        if last is not None and next(rows, None) is not None:
            self._tired = last

    def _matches(self, row: Row) -> bool:
        return matches(self._query, unpack(bytes_at(self._searcher, row.address, WORDS)))

    def _id(self, row: Row) -> str:
        return text_at(self._searcher, row.address, "id")

    def _hits(self, rows: Sequence[Row]) -> Iterator[Hit]:
        records = [record_at(self._searcher, row.address) for row in rows]
        sizes = self._story_sizes([record.story_id for record in records])
        for row, record in zip(rows, records, strict=True):
            yield Hit(
                article=replace(record.article, text=""),
                topics=tuple(tag.topic for tag in record.topics if tag.band == "tag"),
                story_id=record.story_id,
                copies=max(0, sizes.get(record.story_id, 1) - 1),
                score=row.score,
                highlights=self._highlights(record),
            )

    def _highlights(self, record: StoryRecord) -> Highlights:
        if not self._request.highlights:
            return Highlights()
        found = document(record.article, record.topics)
        return highlighted(found, spans(self._query, found))

    def _story_sizes(self, stories: Sequence[str]) -> dict[str, int]:
        if not stories:
            return {}
        of_stories = tantivy.Query.term_set_query(SCHEMA, "story", [*dict.fromkeys(stories)])
        asked = {"story": {"terms": {"field": "story", "size": len(stories)}}}
        found = self._searcher.aggregate(of_stories, asked)["story"]["buckets"]
        return {one["key"]: one["doc_count"] for one in found}
