"""From a query to a query of the embedded engine, and whether it finds exactly the same.

What is not exact finds more: candidates, which ``processors.reference`` then verifies. The
engine's parser never sees what a user typed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product
from typing import TypeAlias

import tantivy

from ingest.errors import QueryError
from processors.query_cost import expansions
from processors.query_tree import (
    And,
    AtLeast,
    Cased,
    Field,
    Near,
    Node,
    Not,
    NotWithin,
    Or,
    Part,
    Phrase,
    Positional,
    Query,
    SameSentence,
    Term,
    TimeRange,
    Wildcard,
    walk,
)
from processors.records import Zone
from search.engine_queries import (
    Must,
    MustNot,
    Translation,
    all_of,
    any_of,
    at_least,
    between,
    everything,
    one_word,
    sequence,
)
from search.tantivy_schema import SCHEMA

MAX_PHRASES = 420
"""Phrases that one NEAR may become: NEAR/50 of two pairs of words is 408. More is verified."""

MAX_PATTERN_PHRASES = 24
"""The same with wildcards in them: each looks its words up again."""

MAX_WORDS = 250_000
"""Words that the wildcards of a search may stand for, about: twelve of one letter."""

_WHOLE_DICTIONARY = 20_000.0
_FIELDS: dict[Zone | None, tuple[str, ...]] = {
    None: ("title", "body"),
    "title": ("title",),
    "lead": ("lead",),
    "body": ("body",),
}
_Clause: TypeAlias = tuple[tantivy.Occur, tantivy.Query]


def check_words(query: Query) -> None:
    """Refuse wildcards that together stand for so many words that a search would hang.

    Raises:
        QueryError: above ``MAX_WORDS``.
    """
    total = 0.0
    for node in walk(query.root):
        for part in node.parts if isinstance(node, Phrase) else (node,):
            if isinstance(part, Wildcard):
                is_leading = part.pattern[0] in "*?"
                total += _WHOLE_DICTIONARY if is_leading else expansions(part)
        if total > MAX_WORDS:
            raise QueryError(
                "The wildcards of this search stand for too many words.",
                hint="Give them more letters in front, or search for fewer at a time.",
                caret=node.span[0],
            )


def translate(node: Node, *, patterns_in_phrases: bool = True) -> Translation:
    """``node`` for the engine.

    Without ``patterns_in_phrases`` (after the engine refused a phrase whose wildcards stand for
    too many words) such phrases are verified.
    """
    return _Translator(patterns_in_phrases=patterns_in_phrases).node(node)


class _Translator:
    def __init__(self, *, patterns_in_phrases: bool) -> None:
        self._patterns_in_phrases = patterns_in_phrases

    def node(self, node: Node) -> Translation:
        match node:
            case And(of=of):
                return self._all(of)
            case Or(of=of):
                return _joined(any_of, map(self.node, of))
            case AtLeast(count=count, of=of):
                return _joined(partial(at_least, count), map(self.node, of))
            case Not():
                return self._all((node,))
            case _:
                return self._leaf(node)

    def _leaf(self, node: Term | Positional | Field | TimeRange) -> Translation:
        match node:
            case Field(name=name, value=value):
                return Translation(tantivy.Query.term_query(SCHEMA, name, value))
            case TimeRange(name=name, start=start, end=end):
                return Translation(between(name, start, end))
            case Near() | SameSentence() | NotWithin():
                return _joined(any_of, (self._positional(node, f) for f in _FIELDS[node.zone]))
            case _:
                return _joined(any_of, (self._term(node, f) for f in _FIELDS[node.zone]))

    def _all(self, of: Sequence[Node]) -> Translation:
        clauses: list[_Clause] = []
        exact = True
        for one in of:
            found = self.node(one.of if isinstance(one, Not) else one)
            exact = exact and found.exact
            if not isinstance(one, Not):
                clauses.append((Must, found.query))
            elif found.exact:  # of what only may match, nothing can be left out
                clauses.append((MustNot, found.query))
        if not any(occur is Must for occur, _ in clauses):
            clauses.append((Must, everything()))
        return Translation(tantivy.Query.boolean_query(clauses), exact)

    def _term(self, term: Term, field: str) -> Translation:
        match term:
            case Phrase(parts=parts):
                return self._phrase(parts, field)
            case _:
                return one_word(term, field)

    def _phrase(self, parts: Sequence[Part], field: str) -> Translation:
        is_cased = any(isinstance(part, Cased) for part in parts)
        if any(isinstance(part, Wildcard) for part in parts) and not self._patterns_in_phrases:
            found = [one_word(part, field).query for part in parts]
            return Translation(all_of(found), exact=False)
        query = sequence([*enumerate(parts)], field)
        if query is None:
            return Translation(all_of([one_word(part, field).query for part in parts]), exact=False)
        if is_cased:
            cased = [one_word(part, field).query for part in parts if isinstance(part, Cased)]
            return Translation(all_of([query, *cased]), exact=False)
        return Translation(query)

    def _positional(self, node: Positional, field: str) -> Translation:
        match node:
            case NotWithin(inner=inner):
                return Translation(self._one_of(inner, field), exact=False)
            case SameSentence(left=left, right=right):
                query = all_of([self._one_of(left, field), self._one_of(right, field)])
                return Translation(query, exact=False)
            case Near(left=left, right=right):
                phrases = self._phrases(node, field)
                if phrases is not None:
                    return Translation(any_of(phrases))
                query = all_of([self._one_of(left, field), self._one_of(right, field)])
                return Translation(query, exact=False)

    def _one_of(self, terms: Sequence[Term], field: str) -> tantivy.Query:
        return any_of([self._term(term, field).query for term in terms])

    def _phrases(self, node: Near, field: str) -> list[tantivy.Query] | None:
        """Every order and distance that ``node`` allows as a phrase; None where that is not it."""
        left, right = [*map(_parts, node.left)], [*map(_parts, node.right)]
        parts = [part for sequence in (*left, *right) for part in sequence]
        if any(isinstance(part, Cased) for part in parts):
            return None
        pairs = [*product(left, right)] + ([] if node.ordered else [*product(right, left)])
        has_patterns = any(isinstance(part, Wildcard) for part in parts)
        if has_patterns and not self._patterns_in_phrases:
            return None
        limit = MAX_PATTERN_PHRASES if has_patterns else MAX_PHRASES
        if len(pairs) * (node.distance + 1) > limit:
            return None
        found = [
            sequence(_placed(first, second, gap), field)
            for first, second in dict.fromkeys(pairs)
            for gap in range(node.distance + 1)
        ]
        known = [query for query in found if query is not None]
        return known if len(known) == len(found) else None


def _joined(
    join: Callable[[Sequence[tantivy.Query]], tantivy.Query], found: Iterable[Translation]
) -> Translation:
    several = list(found)
    return Translation(join([one.query for one in several]), all(one.exact for one in several))


def _parts(term: Term) -> tuple[Part, ...]:
    return term.parts if isinstance(term, Phrase) else (term,)


def _placed(first: Sequence[Part], second: Sequence[Part], gap: int) -> list[tuple[int, Part]]:
    return [*enumerate(first), *enumerate(second, len(first) + gap)]
