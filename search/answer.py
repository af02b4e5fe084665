"""The answer to a search, on any engine: pages, totals, facets, highlights.

Where the engine's query is exact, it counts. Else the matcher verifies its candidates over the
stored words, up to ``EXACT_CANDIDATES`` of them.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Generic, TypeVar

from ingest.errors import UsageError
from processors.document import Document
from processors.query_tree import Query
from processors.reference import matches, spans
from search.certain import certain
from search.cursor import Cursor, read_cursor, write_cursor
from search.engine import Engine, Row, TooManyWordsError
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
from search.milliseconds import DAY_MS, moment_at
from search.translate import check_words, translate

MAX_POSITION = 10_000
"""Hits by relevance behind which nobody looks; by time pages go on to the end."""

SAMPLE = 500
"""Candidates that are verified for an estimate: it is asked for while a query is typed."""

_WINDOW_DAYS = 30
Q = TypeVar("Q")
R = TypeVar("R", bound=Row)


def result_of(engine: Engine[Q, R], request: SearchRequest) -> SearchResult:
    """The page, totals, facets and histogram that were asked for.

    Raises:
        QueryError: above the work limits.
        UsageError: a cursor, facet, interval or size that cannot be.
    """
    try:
        return Answer(engine, request).result()
    except TooManyWordsError:
        return Answer(engine, request, cautious=True).result()


def total_of(engine: Engine[Q, R], request: SearchRequest) -> int:
    """How many articles match; a lower bound where too many candidates are to be verified."""
    try:
        return Answer(engine, request).total
    except TooManyWordsError:
        return Answer(engine, request, cautious=True).total


def hits_a_day_of(engine: Engine[Q, R], query: Query) -> float:
    """Articles that ``query`` found a day, over the last 30 days that are indexed.

    An estimate where more candidates than ``SAMPLE`` would have to be verified.
    """
    everything = engine.queries().everything()
    newest = next(engine.by_time(everything, newest_first=True), None)
    oldest = next(engine.by_time(everything, newest_first=False), None)
    if newest is None or oldest is None:
        return 0.0
    begin = max(oldest.ms, newest.ms - _WINDOW_DAYS * DAY_MS)
    request = SearchRequest(query=query, since=moment_at(begin))
    try:
        found = Answer(engine, request).estimate()
    except TooManyWordsError:
        found = Answer(engine, request, cautious=True).estimate()
    return found / max(1.0, (newest.ms - begin) / DAY_MS)


class Answer(Generic[Q, R]):
    """The answer to one request in one view of an index."""

    def __init__(
        self, engine: Engine[Q, R], request: SearchRequest, *, cautious: bool = False
    ) -> None:
        self._engine = engine
        self._request = request
        self._query: Query = request.query
        self._tired: R | None = None
        self._verified_last: R | None = None
        self._queries = engine.queries(cautious=cautious)
        check_words(self._query)
        found = translate(self._query.root, self._queries)
        self.exact = found.exact
        self._base = self._in_time(found.query)

    def _in_time(self, found: Q) -> Q:
        request, clauses = self._request, [found]
        if request.since or request.until:
            clauses.append(self._queries.between("seen", request.since, request.until))
        return self._queries.all_of(clauses)

    def result(self) -> SearchResult:
        """As ``result_of``."""
        request = self._request
        if not 1 <= request.size <= MAX_SIZE:
            raise UsageError(
                f"a page of {request.size} hits", hint=f"Ask for 1 to {MAX_SIZE} hits a page."
            )
        cursor = read_cursor(request.after, sort=request.sort)
        rows, after = self._page(cursor)
        engine = self._engine
        scope = self.scope if request.facets or request.interval else self._base
        return SearchResult(
            hits=tuple(self._hits(rows)),
            total=self.total,
            relation="eq" if self.is_total_exact else "gte",
            after=after,
            facets=facets_of(engine, scope, request.facets) if request.facets else None,
            histogram=histogram_of(engine, scope, request.interval) if request.interval else None,
        )

    @cached_property
    def total(self) -> int:
        """How many articles match; a lower bound unless ``is_total_exact``."""
        return self._candidates if self.exact else len(self.verified)

    def estimate(self) -> float:
        """About how many articles match, from what part of the newest candidates does."""
        if self.exact:
            return self._candidates
        newest = self._engine.by_time(self._base, newest_first=True, words=True)
        found = [self._matches(row) for row in islice(newest, SAMPLE)]
        return self._candidates * sum(found) / len(found) if found else 0.0

    @property
    def is_total_exact(self) -> bool:
        """Whether ``total`` is no lower bound."""
        return self.exact or self._candidates <= self._most

    @property
    def _most(self) -> int:
        return min(self._request.counted, EXACT_CANDIDATES)

    @cached_property
    def _candidates(self) -> int:
        return self._engine.count(self._base)

    @cached_property
    def verified(self) -> list[R]:
        """What matches among the newest candidates, newest first."""
        sure = certain(self._query.root, self._queries)
        known: Container[Hashable] = ()
        if sure is not None:
            known = self._engine.keys(self._in_time(sure), most=self._most)
        found = []
        for row in islice(self._newest, self._most):
            self._verified_last = row
            if row.key in known or self._matches(row):
                found.append(row)
        return found

    @cached_property
    def _newest(self) -> Iterator[R]:
        """The candidates, newest first; each is looked at once."""
        return self._engine.by_time(self._base, newest_first=True, words=True)

    @property
    def scope(self) -> Q:
        """A query that finds exactly what is counted."""
        if self.exact:
            return self._base
        return self._engine.of_articles([row.id for row in self.verified])

    def _page(self, cursor: Cursor | None) -> tuple[list[R], str]:
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
        return rows, write_cursor(Cursor(sort=sort, ms=last.ms, article_id=last.id))

    def _rows(self, cursor: Cursor | None) -> Iterator[R]:
        """What matches, in order, from the cursor on; one a story where that was asked for."""
        if self._request.sort == "relevance":
            position = cursor.position if cursor else 0
            ranked = self._engine.by_score(self._base, most=EXACT_CANDIDATES, words=not self.exact)
            return islice(self._chosen(self._matching(ranked)), position, MAX_POSITION)
        if not self.exact and self._newest_first and cursor is None:
            verified, rest = self.verified, EXACT_CANDIDATES - self._most
            further = self._tested(self._newest, most=rest, last=self._verified_last)
            return self._chosen(chain(verified, further))
        if self.exact or not self.is_total_exact:
            rows = self._chosen(self._matching(self._timed(self._base, cursor)))
            if self._request.group and cursor is not None:
                return self._not_shown(rows)
            return rows
        rows = self._chosen(self.verified if self._newest_first else self.verified[::-1])
        return (row for row in rows if cursor is None or self._is_behind(row, cursor))

    def _is_behind(self, row: R, cursor: Cursor) -> bool:
        mine, edge = (row.ms, row.id), (cursor.ms, cursor.article_id)
        return mine < edge if self._newest_first else mine > edge

    @property
    def _newest_first(self) -> bool:
        return self._request.sort == "newest"

    def _timed(self, query: Q, cursor: Cursor | None) -> Iterator[R]:
        return self._engine.by_time(
            query, newest_first=self._newest_first, behind=cursor, words=not self.exact
        )

    def _chosen(self, rows: Iterable[R]) -> Iterator[R]:
        """``rows``, or of each story the first."""
        shown: set[str] = set()
        for row in rows:
            if not self._request.group:
                yield row
            elif row.story not in shown:
                shown.add(row.story)
                yield row

    def _not_shown(self, rows: Iterator[R]) -> Iterator[R]:
        """Those of ``rows`` whose stories no earlier page has shown."""
        while some := [*islice(rows, self._request.size)]:
            firsts = self._firsts([row.story for row in some])
            yield from (row for row in some if firsts.get(row.story, row.id) == row.id)

    def _firsts(self, stories: Sequence[str]) -> dict[str, str]:
        if self.exact:
            found = self._engine.firsts(self._base, stories, newest_first=self._newest_first)
            return dict(found)
        return {story: self._first_of(story) for story in stories}

    def _first_of(self, story: str) -> str:
        of_story = self._queries.all_of([self._base, self._engine.of_story(story)])
        return next(row.id for row in self._timed(of_story, None) if self._matches(row))

    def _matching(self, rows: Iterator[R]) -> Iterator[R]:
        return rows if self.exact else self._tested(rows)

    def _tested(
        self, rows: Iterator[R], *, most: int = EXACT_CANDIDATES, last: R | None = None
    ) -> Iterator[R]:
        """Those of ``rows`` that match, until so many were looked at; ``last`` was before."""
        for row in islice(rows, most):
            last = row
            if self._matches(row):
                yield row
        if last is not None and next(rows, None) is not None:
            self._tired = last

    def _matches(self, row: R) -> bool:
        return matches(self._query, row.document())

    def _hits(self, rows: Sequence[R]) -> Iterator[Hit]:
        if not rows:
            return
        found = self._engine.shown(rows)
        sizes = self._engine.story_sizes([*{one.story_id for one in found}])
        for row, one in zip(rows, found, strict=True):
            yield Hit(
                article=one.article,
                topics=one.topics,
                story_id=one.story_id,
                copies=max(0, sizes.get(one.story_id, 1) - 1),
                score=row.score,
                highlights=self._highlights(one.document),
            )

    def _highlights(self, found: Document) -> Highlights:
        if not self._request.highlights:
            return Highlights()
        return highlighted(found, spans(self._query, found, with_lead=False))
