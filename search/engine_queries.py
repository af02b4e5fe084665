"""The pieces of queries for the embedded engine, made without its parser. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import tantivy

from processors.query_tree import Cased, Part, Wildcard, Word
from search.tantivy_schema import ARTICLE, SCHEMA, milliseconds

_MAX_JOKERS = 4  # ``?`` beside a ``*``: each doubles the automaton
_LEAST, _MOST = -(2**63), 2**63 - 1

Must, Should, MustNot = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot


@dataclass(frozen=True, slots=True)
class Translation:
    """A query for the engine; not ``exact``: it finds all that match, and more."""

    query: tantivy.Query
    exact: bool = True


def everything() -> tantivy.Query:
    """All articles (not the checkpoint)."""
    return tantivy.Query.term_query(SCHEMA, "kind", ARTICLE)


def nothing() -> tantivy.Query:
    """No article."""
    return tantivy.Query.empty_query()


def all_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """What each of ``queries`` finds."""
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(Must, one) for one in queries])


def any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """What one of ``queries`` finds."""
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(Should, one) for one in queries])


def between(field: str, start: datetime | None, end: datetime | None) -> tantivy.Query:
    """Articles whose time ``field`` is from ``start`` on and before ``end``."""
    return numbers(field, _ceiling(start, _LEAST), _ceiling(end, _MOST) - 1)


def numbers(field: str, low: int, high: int) -> tantivy.Query:
    """Articles whose ``field`` is from ``low`` to ``high``, both included."""
    return tantivy.Query.range_query(SCHEMA, field, tantivy.FieldType.Integer, low, high)


def _ceiling(moment: datetime | None, missing: int) -> int:
    if moment is None:
        return missing
    found = milliseconds(moment)
    return found + bool(moment.microsecond % 1000)


def at_least(least: int, queries: Sequence[tantivy.Query]) -> tantivy.Query:
    """What ``least`` of ``queries`` find."""
    clauses = [(Should, one) for one in queries]
    return tantivy.Query.boolean_query(clauses, minimum_number_should_match=least)


def sequence(placed: Sequence[tuple[int, Part]], field: str) -> tantivy.Query | None:
    """Two or more words at the given distances; None where a pattern is too much for the engine."""
    if not any(isinstance(part, Wildcard) for _, part in placed):
        words: list[str | tuple[int, str]] = [(place, _folded(part)) for place, part in placed]
        return tantivy.Query.phrase_query(SCHEMA, field, words)
    if any(isinstance(part, Wildcard) and _is_hard(part.pattern) for _, part in placed):
        return None
    patterns: list[str | tuple[int, str]] = [
        (place, _regex(_folded(part))) for place, part in placed
    ]
    try:
        return tantivy.Query.regex_phrase_query(SCHEMA, field, patterns)
    except ValueError:  # the automaton has too many states
        return None


def _folded(part: Part) -> str:
    match part:
        case Word(value=value):
            return value
        case Cased(folded=folded):
            return folded
        case Wildcard(pattern=pattern):
            return pattern


def one_word(part: Part, field: str) -> Translation:
    """A word, a pattern or a word with its case in ``field``."""
    match part:
        case Word(value=value):
            return Translation(tantivy.Query.term_query(SCHEMA, field, value))
        case Cased(value=value):
            return Translation(tantivy.Query.term_query(SCHEMA, f"{field}_cased", value))
        case Wildcard(pattern=pattern):
            return _wildcard(pattern, field)


def _wildcard(pattern: str, field: str) -> Translation:
    """Exact where the engine can build the automaton; else a wider pattern, or everything."""
    wider = pattern.replace("?", "*")
    attempts = [(wider, False)] if _is_hard(pattern) else [(pattern, True), (wider, False)]
    for attempt, exact in attempts:
        try:
            query = tantivy.Query.regex_query(SCHEMA, field, _regex(attempt))
        except ValueError:
            continue
        return Translation(query, exact)
    return Translation(everything(), exact=False)


def _is_hard(pattern: str) -> bool:
    return "*" in pattern and pattern.count("?") > _MAX_JOKERS


def _regex(pattern: str) -> str:
    if not pattern.strip("?"):
        return "[^¶]" * len(pattern)  # the paragraph end is no word
    signs = {"*": ".*", "?": "."}
    return "".join(signs.get(one) or re.escape(one) for one in pattern)
