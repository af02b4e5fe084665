"""Where the terms of a query stand in a text, and which of them satisfy NEAR and its like."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias

from processors.analysis import Analysed
from processors.query_tree import (
    Cased,
    Near,
    NotWithin,
    Part,
    Phrase,
    Positional,
    SameSentence,
    Term,
    Wildcard,
    Word,
)
from processors.wildcards import longest_piece, wildcard

Place: TypeAlias = tuple[int, int]
"""(first word, word behind the last) of an occurrence."""

_LONG = 10_000
"""Characters up to which one look at the whole string is the quickest way to say that a word, as
most that are looked for, is not there."""

_TELLING = 3
"""Letters of a pattern that few words hold."""


def places_of(term: Term, text: Analysed) -> list[Place]:
    """Every occurrence of ``term`` in ``text``, in order; overlapping ones too."""
    match term:
        case Phrase(parts=parts):
            return _in_a_row(parts, text)
        case _:
            return [(start, start + 1) for start in _starts(term, text)]


def _in_a_row(parts: Sequence[Part], text: Analysed) -> list[Place]:
    first, *others = parts
    length = len(parts)
    starts = _starts(first, text)
    if not starts:  # as of most names, so that nothing else is prepared for it
        return []
    last = len(text.words) - length
    tests = [(distance, _test(part, text)) for distance, part in enumerate(others, 1)]
    return [
        (start, start + length)
        for start in starts
        if start <= last and all(test(start + distance) for distance, test in tests)
    ]


def _starts(part: Part, text: Analysed) -> Sequence[int]:
    match part:
        case Word(value=value):
            return _places(value, text)
        case Cased(value=value, folded=folded):
            found = _places(folded, text)
            return [place for place in found if text.cased[place] == value] if found else ()
        case Wildcard(pattern=pattern):
            piece = longest_piece(pattern)
            if len(piece) >= _TELLING:
                return _with_piece(piece, pattern, text)
            matches = wildcard(pattern).fullmatch
            lists = (places for word, places in text.positions.items() if matches(word))
            return sorted(place for places in lists for place in places)


def _with_piece(piece: str, pattern: str, text: Analysed) -> list[int]:
    """Where words stand that ``pattern`` fits; only those that hold ``piece`` of it can be."""
    joined, fits = text.joined, wildcard(pattern).fullmatch
    found: list[int] = []
    number, reached = 0, 0
    place = joined.find(piece)
    while place >= 0:
        start = joined.rfind(" ", 0, place) + 1
        end = joined.find(" ", place)
        end = len(joined) if end < 0 else end
        if fits(joined, start, end):
            number += joined.count(" ", reached, start)
            reached = start
            found.append(number)
        place = joined.find(piece, end)
    return found


def _places(word: str, text: Analysed) -> Sequence[int]:
    if len(text.joined) < _LONG and word not in text.joined:
        return ()
    return text.places(word)


def _test(part: Part, text: Analysed) -> Callable[[int], bool]:
    words = text.words
    match part:
        case Word(value=value):
            return lambda place: words[place] == value
        case Cased(value=value, folded=folded):
            return lambda place: words[place] == folded and text.cased[place] == value
        case Wildcard(pattern=pattern):
            matches = wildcard(pattern).fullmatch
            return lambda place: matches(words[place]) is not None


def places_of_any(terms: Sequence[Term], text: Analysed) -> list[Place]:
    """The occurrences of all ``terms`` in ``text``, in order."""
    if len(terms) == 1:
        return places_of(terms[0], text)
    return sorted({place for term in terms for place in places_of(term, text)})


def places_in(node: Positional, text: Analysed) -> list[Place]:
    """The occurrences that satisfy ``node`` in ``text``; none where it does not match there."""
    match node:
        case Near():
            first, second = places_of_any(node.left, text), places_of_any(node.right, text)
            return _near(first, second, node) if first and second else []
        case SameSentence():
            first, second = places_of_any(node.left, text), places_of_any(node.right, text)
            return _in_one_sentence(first, second, text) if first and second else []
        case NotWithin():
            inner = places_of_any(node.inner, text)
            return _outside(inner, places_of_any(node.outer, text)) if inner else []


def _near(first: list[Place], second: list[Place], node: Near) -> list[Place]:
    """Those of both that have a partner of the other with at most ``distance`` words between."""
    found = {*_followed(first, second, node.distance), *_following(first, second, node.distance)}
    if not node.ordered:
        found.update(_followed(second, first, node.distance))
        found.update(_following(second, first, node.distance))
    return sorted(found)


def _followed(first: list[Place], second: list[Place], distance: int) -> Iterable[Place]:
    """Those of ``first`` behind which one of ``second`` begins."""
    starts = [start for start, _ in second]
    for place in first:
        after = bisect_left(starts, place[1])
        if after < len(starts) and starts[after] <= place[1] + distance:
            yield place


def _following(first: list[Place], second: list[Place], distance: int) -> Iterable[Place]:
    """Those of ``second`` before which one of ``first`` ends."""
    ends = sorted(end for _, end in first)
    for place in second:
        before = bisect_right(ends, place[0])
        if before and ends[before - 1] >= place[0] - distance:
            yield place


def _in_one_sentence(first: list[Place], second: list[Place], text: Analysed) -> list[Place]:
    found = {*_with_partner(first, second, text), *_with_partner(second, first, text)}
    return sorted(found)


def _with_partner(places: list[Place], others: list[Place], text: Analysed) -> Iterable[Place]:
    """Those of ``places`` in whose sentence one of ``others`` stands clear of them."""
    first_end: dict[int, int] = {}
    last_start: dict[int, int] = {}
    for start, end in others:
        number = text.sentence(start)
        if number == text.sentence(end - 1):
            first_end[number] = min(end, first_end.get(number, end))
            last_start[number] = max(start, last_start.get(number, start))
    for start, end in places:
        number = text.sentence(start)
        if number != text.sentence(end - 1) or number not in first_end:
            continue
        if first_end[number] <= start or last_start[number] >= end:
            yield start, end


def _outside(inner: list[Place], outer: list[Place]) -> list[Place]:
    """Those of ``inner`` that lie inside none of ``outer``."""
    starts = [start for start, _ in outer]
    furthest = list(accumulate((end for _, end in outer), max))
    found = []
    for place in inner:
        before = bisect_right(starts, place[0])
        if not before or furthest[before - 1] < place[1]:
            found.append(place)
    return found
