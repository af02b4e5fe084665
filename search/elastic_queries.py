"""The pieces of queries for Elasticsearch, never what a user typed. Pure.

Distances are told by ``intervals``, which look for the shortest stretch of text only. So each
source has occurrences of one width: a longer alternative would be lost to a shorter one in it
(``(a OR "a b") NEAR/0 c``). NEAR is asked in both orders: unordered sources meet themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby, product
from typing import Any, TypeAlias

from processors.query_tree import (
    Cased,
    FieldName,
    Near,
    NotWithin,
    Part,
    Positional,
    SameSentence,
    Term,
    TimeField,
    Wildcard,
    Word,
)
from processors.records import Zone
from search.elastic_schema import fact
from search.milliseconds import ceiling
from search.translate import Translation, is_hard, parts_of

Dsl: TypeAlias = Mapping[str, Any]
"""A query, or a source of intervals, as Elasticsearch reads it."""

MAX_PAIRS = 500
"""Pairs of words that one operator may compare: the engine makes clauses of each and takes
8,192 of them in a search. More is verified.
"""

MAX_PATTERN = 60
"""Characters of a pattern with ``*``: the engine's automaton grows with their square."""

_KEPT = 30

_ANY = -1
"""How the engine is told that any number of words may lie between."""

_PARAGRAPH: Dsl = {"match": {"query": "¶"}}


class ElasticQueries:
    """As ``search.translate.Queries``.

    Without ``intervals`` (after the engine refused some: their wildcards stand for too many
    words, or there are too many of them) what they would tell is verified.
    """

    def __init__(self, *, intervals: bool = True) -> None:
        self._intervals = intervals

    def everything(self) -> Dsl:
        """All articles."""
        return {"match_all": {}}

    def value(self, name: FieldName, value: str) -> Dsl:
        """Articles with this value of a field clause."""
        return {"term": {"facts": fact(name, value)}}

    def between(self, name: TimeField, start: datetime | None, end: datetime | None) -> Dsl:
        """Articles whose time ``name`` is from ``start`` on and before ``end``."""
        bounds = {"gte": start, "lt": end}
        kept = {sign: ceiling(moment) for sign, moment in bounds.items() if moment is not None}
        return {"range": {name: {**kept, "format": "epoch_millis"}}}

    def all_of(self, queries: Sequence[Dsl], *, without: Sequence[Dsl] = ()) -> Dsl:
        """What each of ``queries`` finds and none of ``without``."""
        if not without:
            return queries[0] if len(queries) == 1 else {"bool": {"must": [*queries]}}
        return {"bool": {"must": [*queries], "must_not": [*without]}}

    def any_of(self, queries: Sequence[Dsl]) -> Dsl:
        """What one of ``queries`` finds."""
        return queries[0] if len(queries) == 1 else self.at_least(1, queries)

    def at_least(self, least: int, queries: Sequence[Dsl]) -> Dsl:
        """What ``least`` of ``queries`` find."""
        return {"bool": {"should": [*queries], "minimum_should_match": least}}

    def word(self, part: Part, zone: Zone) -> Translation[Dsl]:
        """A word, a pattern or a word with its case in ``zone``."""
        match part:
            case Word(value=value):
                return Translation({"term": {_words(zone): value}})
            case Cased(value=value):
                return Translation({"term": {_cased(zone): value}})
            case Wildcard(pattern=pattern) if not pattern.strip("?"):
                signs = f"[^¶]{{{len(pattern)}}}"  # the paragraph end is no word
                return Translation({"regexp": {_words(zone): {"value": signs}}})
            case Wildcard(pattern=pattern):
                hard = _is_hard(pattern)
                taken = _wider(pattern) if hard else pattern
                return Translation({"wildcard": {_words(zone): {"value": taken}}}, not hard)

    def phrase(self, parts: Sequence[Part], zone: Zone) -> Translation[Dsl] | None:
        """Two or more parts side by side; None where the engine cannot say it."""
        if all(isinstance(part, Word) for part in parts):
            text = " ".join(part.value for part in parts if isinstance(part, Word))
            return Translation({"match_phrase": {_words(zone): text}})
        if not self._takes(parts):
            return None
        return Translation(_stretch(_in_order(parts, zone), zone))

    def positional(self, node: Positional, zone: Zone) -> Dsl | None:
        """All by the places of their words; None where that is too much for the engine."""
        left, right = _sides(node)
        parts = chain.from_iterable(map(parts_of, (*left, *right)))
        if not self._takes(parts) or len(left) * len(right) > MAX_PAIRS:
            return None
        sources = _not_within(node, zone) if isinstance(node, NotWithin) else _near(node, zone)
        return self.any_of([_stretch(one, zone) for one in sources])

    def _takes(self, parts: Iterable[Part]) -> bool:
        """Whether the engine can tell the places of ``parts``."""
        hard = (isinstance(part, Wildcard) and _is_hard(part.pattern) for part in parts)
        return self._intervals and not any(hard)


def _sides(node: Positional) -> tuple[Sequence[Term], Sequence[Term]]:
    if isinstance(node, NotWithin):
        return node.inner, node.outer
    return node.left, node.right


def _near(node: Near | SameSentence, zone: Zone) -> Iterator[Dsl]:
    left = _by_width(node.left, zone)
    right = _by_width(node.right, zone, unlike=node.left)
    pairs = [*product(left, right)]
    if isinstance(node, SameSentence) or not node.ordered:
        pairs += product(right, left)
    for pair in pairs:
        if isinstance(node, Near):
            yield _ordered(pair, node.distance)
        else:
            yield _filtered(_ordered(pair, _ANY), {"contained_by": _sentence(zone)})


def _sentence(zone: Zone) -> Dsl:
    """From the first word of a sentence to its last."""
    start, end, only = (
        {"match": {"query": sign, "use_field": f"{zone}_bounds"}} for sign in ("s", "e", "o")
    )
    return {"any_of": {"intervals": [_ordered((start, end), _ANY), only]}}


def _not_within(node: NotWithin, zone: Zone) -> Iterator[Dsl]:
    # Each by itself: of several together Lucene overlooks those as long as what they contain.
    outer = [*chain.from_iterable(_by_width([one], zone) for one in node.outer)]
    for source in _by_width(node.inner, zone):
        free = source
        for one in outer:
            free = _filtered(free, {"not_contained_by": one})
        yield free


def _is_hard(pattern: str) -> bool:
    return is_hard(pattern) or ("*" in pattern and len(pattern) > MAX_PATTERN)


def _wider(pattern: str) -> str:
    """A pattern with one ``*`` that finds all that ``pattern`` does."""
    parts = re.split(r"[*?]+", pattern)
    return f"{parts[0][:_KEPT]}*{parts[-1][-_KEPT:]}"


def _words(zone: Zone) -> str:
    return f"{zone}_words"


def _cased(zone: Zone) -> str:
    return f"{zone}_cased"


def _stretch(source: Dsl, zone: Zone) -> Dsl:
    return {"intervals": {_words(zone): source}}


def _ordered(sources: Sequence[Dsl], gaps: int) -> Dsl:
    return {"all_of": {"intervals": [*sources], "ordered": True, "max_gaps": gaps}}


def _filtered(source: Dsl, rule: Dsl) -> Dsl:
    return {"all_of": {"intervals": [source], "filter": rule}}


def _not_paragraph(source: Dsl) -> Dsl:
    return _filtered(source, {"not_contained_by": _PARAGRAPH})


def _in_order(parts: Sequence[Part], zone: Zone) -> Dsl:
    sources = [_source(part, zone) for part in parts]
    return sources[0] if len(sources) == 1 else _ordered(sources, 0)


def _by_width(terms: Sequence[Term], zone: Zone, *, unlike: Sequence[Term] = ()) -> list[Dsl]:
    """A source for the ``terms`` of each number of words; none equals one of ``unlike``.

    The engine joins equal sources, and then counts the words inside of phrases as gaps.
    """
    parted = sorted(map(parts_of, terms), key=len)
    others = [*map(parts_of, unlike)]
    found = []
    for width, group in groupby(parted, key=len):
        sources = [
            _not_paragraph(_in_order(parts, zone))
            if width > 1 and parts in others
            else _in_order(parts, zone)
            for parts in group
        ]
        found.append(sources[0] if len(sources) == 1 else {"any_of": {"intervals": sources}})
    return found


def _source(part: Part, zone: Zone) -> Dsl:
    match part:
        case Word(value=value):
            return {"match": {"query": value}}
        case Cased(value=value):
            return {"match": {"query": value, "use_field": _cased(zone)}}
        case Wildcard(pattern=pattern):
            found: Dsl = {"wildcard": {"pattern": pattern}}
            # Without a letter it could be the paragraph end, which is no word.
            return found if pattern.strip("?") else _not_paragraph(found)
