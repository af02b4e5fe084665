"""Documents found in the embedded index one after the other, in the order of a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import tantivy

from processors.document import Document
from search.cursor import Cursor
from search.stored_fields import bytes_at, count_in, text_at
from search.stored_words import unpack
from search.tantivy_queries import all_of, numbers
from search.tantivy_schema import WORDS, place, time_of

_BATCH = 64
"""Rows asked for at first; each further request asks for four times as many."""

_MOST = 4096
_LAST_PLACE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Row:
    """One found document, as ``search.engine.Row``; ``place`` is 0 where the score is the order."""

    searcher: tantivy.Searcher
    address: tantivy.DocAddress
    place: int = 0
    score: float | None = None

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from other rows of this view."""
        return self.address.segment_ord, self.address.doc

    @property
    def id(self) -> str:
        """The article's."""
        return text_at(self.searcher, self.address, "id")

    @property
    def ms(self) -> int:
        """When it was seen."""
        return time_of(self.place)

    @property
    def story(self) -> str:
        """The id of its story."""
        return text_at(self.searcher, self.address, "story")

    def document(self) -> Document:
        """Its stored words."""
        return unpack(bytes_at(self.searcher, self.address, WORDS))


def by_score(searcher: tantivy.Searcher, query: tantivy.Query, *, most: int) -> Iterator[Row]:
    """The best first; rows of one score in no order that is promised."""
    reached = 0
    for limit in (_BATCH, _MOST, most):
        hits = searcher.search(query, min(limit, most), count=False, offset=reached).hits
        yield from (Row(searcher, address, score=score) for score, address in hits)
        reached += len(hits)
        if len(hits) < min(limit, most) or reached >= most:
            return


def by_time(
    searcher: tantivy.Searcher,
    query: tantivy.Query,
    *,
    newest_first: bool,
    behind: Cursor | None = None,
    at_first: int,
    counted: Callable[[int], None] = lambda _: None,
) -> Iterator[Row]:
    """By (seen, id), all of them, read as they are asked for: ``at_first`` so many.

    ``counted`` is told how many there are, where that cost nothing: without a cursor.
    """
    start = first = _LAST_PLACE if newest_first else 0
    edge: tuple[int, str] | None = None
    if behind is not None:
        start = place(behind.ms, behind.article_id)
        edge = (start, behind.article_id)
    limit = at_first
    while 0 <= start <= _LAST_PLACE:
        low, high = (0, start) if newest_first else (start, _LAST_PLACE)
        is_all = start == first
        answer = searcher.search(
            query if is_all else all_of([query, numbers("place", low, high)]),
            limit,
            count=is_all,
            order_by_field="place",
            order=tantivy.Order.Desc if newest_first else tantivy.Order.Asc,
        )
        if is_all:
            counted(count_in(answer))
        hits = answer.hits
        groups = [(key, [*found]) for key, found in groupby(hits, key=lambda hit: int(hit[0]))]
        is_last = len(hits) < limit
        whole = groups if is_last else groups[:-1]  # the last place may have more documents
        for key, found in whole:
            yield from _in_order(searcher, key, [hit[1] for hit in found], newest_first, edge)
        if is_last:
            return
        if whole:
            start = whole[-1][0] + (-1 if newest_first else 1)
        limit = min(limit * 4, _MOST) if whole else limit * 4


def _in_order(
    searcher: tantivy.Searcher,
    key: int,
    addresses: Sequence[tantivy.DocAddress],
    newest_first: bool,  # noqa: FBT001 - handed through
    edge: tuple[int, str] | None,
) -> Iterator[Row]:
    """The documents of one place by id; those up to the cursor left out."""
    if len(addresses) == 1 and (edge is None or edge[0] != key):
        yield Row(searcher, addresses[0], key)
        return
    named = [(text_at(searcher, address, "id"), address) for address in addresses]
    for name, address in sorted(named, key=lambda pair: pair[0], reverse=newest_first):
        if edge is None or edge[0] != key or (name < edge[1] if newest_first else name > edge[1]):
            yield Row(searcher, address, key)
