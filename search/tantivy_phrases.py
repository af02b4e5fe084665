"""Words, phrases and NEAR for the embedded engine: it has no operator for distances. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import tantivy

from processors.query_tree import Cased, Near, Part, Wildcard, Word
from processors.records import Zone
from search.tantivy_schema import ARTICLE, SCHEMA
from search.translate import Translation, is_hard, parts_of

MAX_PHRASES = 420
"""Phrases that one NEAR may become: NEAR/50 of two pairs of words is 408. More is verified."""

MAX_PATTERN_PHRASES = 24
"""The same with wildcards in them: each looks its words up again."""


def sequence(placed: Sequence[tuple[int, Part]], zone: Zone) -> tantivy.Query | None:
    """Two or more words at the given distances; None where a pattern is too much for the engine."""
    if not any(isinstance(part, Wildcard) for _, part in placed):
        words: list[str | tuple[int, str]] = [(place, _folded(part)) for place, part in placed]
        return tantivy.Query.phrase_query(SCHEMA, zone, words)
    if any(isinstance(part, Wildcard) and is_hard(part.pattern) for _, part in placed):
        return None
    patterns: list[str | tuple[int, str]] = [
        (place, _regex(_folded(part))) for place, part in placed
    ]
    try:
        return tantivy.Query.regex_phrase_query(SCHEMA, zone, patterns)
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


def one_word(part: Part, zone: Zone) -> Translation[tantivy.Query]:
    """A word, a pattern or a word with its case in ``zone``."""
    match part:
        case Word(value=value):
            return Translation(tantivy.Query.term_query(SCHEMA, zone, value))
        case Cased(value=value):
            return Translation(tantivy.Query.term_query(SCHEMA, f"{zone}_cased", value))
        case Wildcard(pattern=pattern):
            return _wildcard(pattern, zone)


def _wildcard(pattern: str, zone: Zone) -> Translation[tantivy.Query]:
    """Exact where the engine can build the automaton; else a wider pattern, or everything."""
    wider = pattern.replace("?", "*")
    attempts = [(wider, False)] if is_hard(pattern) else [(pattern, True), (wider, False)]
    for attempt, exact in attempts:
        try:
            query = tantivy.Query.regex_query(SCHEMA, zone, _regex(attempt))
        except ValueError:
            continue
        return Translation(query, exact)
    everything = tantivy.Query.term_query(SCHEMA, "kind", ARTICLE)
    return Translation(everything, exact=False)


def _regex(pattern: str) -> str:
    if not pattern.strip("?"):
        return "[^¶]" * len(pattern)  # the paragraph end is no word
    signs = {"*": ".*", "?": "."}
    return "".join(signs.get(one) or re.escape(one) for one in pattern)


def near(node: Near, zone: Zone) -> list[tantivy.Query] | None:
    """Every order and distance that ``node`` allows as a phrase; None where that is not it."""
    left, right = [*map(parts_of, node.left)], [*map(parts_of, node.right)]
    parts = [part for one in (*left, *right) for part in one]
    if any(isinstance(part, Cased) for part in parts):
        return None
    pairs = [*product(left, right)] + ([] if node.ordered else [*product(right, left)])
    has_patterns = any(isinstance(part, Wildcard) for part in parts)
    limit = MAX_PATTERN_PHRASES if has_patterns else MAX_PHRASES
    if len(pairs) * (node.distance + 1) > limit:
        return None
    found = [
        sequence(_placed(first, second, gap), zone)
        for first, second in dict.fromkeys(pairs)
        for gap in range(node.distance + 1)
    ]
    known = [query for query in found if query is not None]
    return known if len(known) == len(found) else None


def _placed(first: Sequence[Part], second: Sequence[Part], gap: int) -> list[tuple[int, Part]]:
    return [*enumerate(first), *enumerate(second, len(first) + gap)]
