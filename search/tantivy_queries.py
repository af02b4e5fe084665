"""The pieces of queries for the embedded engine, made without its parser. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import tantivy

from processors.query_tree import Cased, FieldName, Near, Part, Positional, TimeField, Wildcard
from processors.records import Zone
from search.milliseconds import ceiling
from search.tantivy_phrases import near, one_word, sequence
from search.tantivy_schema import ARTICLE, SCHEMA
from search.translate import Translation, parts_of

_LEAST, _MOST = -(2**63), 2**63 - 1
_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot


def everything() -> tantivy.Query:
    """All articles (not the checkpoint)."""
    return tantivy.Query.term_query(SCHEMA, "kind", ARTICLE)


def all_of(
    queries: Sequence[tantivy.Query], *, without: Sequence[tantivy.Query] = ()
) -> tantivy.Query:
    """What each of ``queries`` finds and none of ``without``."""
    if len(queries) == 1 and not without:
        return queries[0]
    clauses = [(_MUST, one) for one in queries] + [(_MUST_NOT, one) for one in without]
    return tantivy.Query.boolean_query(clauses)


def any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """What one of ``queries`` finds."""
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(_SHOULD, one) for one in queries])


def numbers(field: str, low: int, high: int) -> tantivy.Query:
    """Articles whose ``field`` is from ``low`` to ``high``, both included."""
    return tantivy.Query.range_query(SCHEMA, field, tantivy.FieldType.Integer, low, high)


class TantivyQueries:
    """As ``search.translate.Queries``; the case of words in a phrase is verified.

    Without ``patterns_in_phrases`` (after the engine refused a phrase whose wildcards stand for
    too many words) such phrases are verified.
    """

    def __init__(self, *, patterns_in_phrases: bool = True) -> None:
        self._patterns_in_phrases = patterns_in_phrases

    everything = staticmethod(everything)
    all_of = staticmethod(all_of)
    any_of = staticmethod(any_of)
    word = staticmethod(one_word)

    def value(self, name: FieldName, value: str) -> tantivy.Query:
        """Articles with this value of a field clause."""
        return tantivy.Query.term_query(SCHEMA, name, value)

    def between(
        self, name: TimeField, start: datetime | None, end: datetime | None
    ) -> tantivy.Query:
        """Articles whose time ``name`` is from ``start`` on and before ``end``."""
        low = _LEAST if start is None else ceiling(start)
        high = _MOST if end is None else ceiling(end) - 1
        return numbers(name, low, high)

    def at_least(self, least: int, queries: Sequence[tantivy.Query]) -> tantivy.Query:
        """What ``least`` of ``queries`` find."""
        clauses = [(_SHOULD, one) for one in queries]
        return tantivy.Query.boolean_query(clauses, minimum_number_should_match=least)

    def phrase(self, parts: Sequence[Part], zone: Zone) -> Translation[tantivy.Query] | None:
        """Two or more parts side by side; None where the engine cannot say it."""
        if not self._takes(parts):
            return None
        found = sequence([*enumerate(parts)], zone)
        if found is None:
            return None
        cased = [one_word(part, zone).query for part in parts if isinstance(part, Cased)]
        return Translation(all_of([found, *cased]), exact=not cased)

    def positional(self, node: Positional, zone: Zone) -> tantivy.Query | None:
        """NEAR as the phrases that it allows; None for SAMESENT and NOT WITHIN."""
        if not isinstance(node, Near):
            return None
        parts = [part for term in (*node.left, *node.right) for part in parts_of(term)]
        found = near(node, zone) if self._takes(parts) else None
        return None if found is None else any_of(found)

    def _takes(self, parts: Sequence[Part]) -> bool:
        return self._patterns_in_phrases or not any(isinstance(one, Wildcard) for one in parts)
