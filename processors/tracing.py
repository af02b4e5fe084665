"""What the quick pass leaves out: words with their case, and where in the original they stand."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count

from processors.folding import Continues, Table
from processors.segmentation import (
    GERSHAYIM,
    GONE,
    joints_of,
    normalised,
    plain,
    segmented_by,
    words_of,
)

FOLDED = Table()
_CASED = Table(cased=True)
_CONTINUES = Continues()
_TOKEN = re.compile(r"[^ \n]+|\n")
_OTHERS = re.compile(r"[^\x00-\x7f]+")
_STRETCH = re.compile(r"[\x00-\x7f]+(?![^\x00-\x7f])|[\x00-\x7f]?[^\x00-\x7f]+")
"""ASCII by itself, or else with the one letter before it that a mark may combine with."""


def cased_words(text: str) -> tuple[str, ...]:
    """The words of ``text`` with their case kept."""
    normal = normalised(text)
    cased = normal.translate(_CASED)
    joints = joints_of(normal.translate(FOLDED)) if "'" in cased else ()
    return tuple(words_of(segmented_by(cased, joints)))


def offsets_of(text: str) -> tuple[tuple[int, int], ...]:
    """(start, end) in ``text`` of every word."""
    simple = _one_for_one(text)
    if simple is not None:
        return tuple(_spans(simple))
    folded, starts, ends = _pieces(GERSHAYIM.sub("\u200d", text))
    return tuple((starts[start], ends[end - 1]) for start, end in _spans(folded))


class Trail:
    """Where single words stand in a text, looked up without tracing all others."""

    def __init__(self, text: str) -> None:
        folded = _one_for_one(text) or ""
        segmented = segmented_by(folded, joints_of(folded)).replace("\n", " ")
        self._gone = [place - before for before, place in zip(count(), _all(GONE, segmented))]
        self._padded = f" {segmented.replace(GONE, '')} "
        self._known: dict[str, Sequence[tuple[int, int]]] = {}

    def spans(self, word: str) -> Sequence[tuple[int, int]]:
        """(start, end) in the text wherever ``word`` stands whole.

        Not all of them where it was cut, or where the text has not a character for each of its
        own in folded form.
        """
        if word not in self._known:
            starts = _all(f" {word} ", self._padded)
            self._known[word] = [
                (self._at(one), self._at(one + len(word) - 1) + 1) for one in starts
            ]
        return self._known[word]

    def _at(self, place: int) -> int:
        """Where in the text the character stands whose place without those removed this is."""
        return place + bisect_right(self._gone, place)


def _all(sought: str, text: str) -> Iterator[int]:
    """Where ``sought`` begins in ``text``; what follows may begin with its last character."""
    place = text.find(sought)
    while place >= 0:
        yield place
        place = text.find(sought, place + max(1, len(sought) - 1))


def _one_for_one(text: str) -> str | None:
    """``text`` folded, where that is done character for character."""
    simple = plain(text)
    if simple.isascii():
        return simple.translate(FOLDED)
    latin = _OTHERS.sub(_alone, simple)
    if _OTHER in latin:
        return None
    # A table is quick where all is ASCII.
    return latin.translate(FOLDED) if latin.isascii() else simple.translate(_ALONE)


def _alone(found: re.Match[str]) -> str:
    return found.group().translate(_ALONE)


def _spans(folded: str) -> list[tuple[int, int]]:
    """(start, end) in ``folded`` of every word and of each paragraph end that is one."""
    segmented = segmented_by(folded, joints_of(folded))
    found = [match.span() for match in _TOKEN.finditer(segmented)]
    if "\n" not in segmented:
        return found
    kept: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []  # of paragraphs, since the last word
    for span in found:
        if segmented[span[0]] == "\n":
            ends.append(span)
            continue
        if kept and ends:
            kept.append(ends[0])
        ends = []
        kept.append(span)
    return kept


def _pieces(text: str) -> tuple[str, list[int], list[int]]:
    """``text`` folded, and where in it the origin of each folded character starts and ends."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for stretch in _STRETCH.finditer(text):
        start, end = stretch.span()
        found = stretch.group()
        if found.isascii():  # character for character
            pieces.append(found.translate(FOLDED))
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
            continue
        for first, last in _clusters(found):
            cluster = found[first:last]
            piece = _PIECES[cluster] if last - first == 1 else _folded(cluster)
            pieces.append(piece)
            starts.extend([start + first] * len(piece))
            ends.extend([start + last] * len(piece))
    return "".join(pieces), starts, ends


class _Pieces(dict[str, str]):
    """A character folded."""

    def __missing__(self, character: str) -> str:
        found = self[character] = _folded(character)
        return found


_PIECES = _Pieces()
_OTHER = "\x03"


class _Alone(dict[int, str]):
    """A character folded by itself; ``_OTHER`` for what becomes more or less than one."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        piece = _PIECES[character]
        found = self[code] = _OTHER if _CONTINUES[character] or len(piece) != 1 else piece
        return found


_ALONE = _Alone()


def _folded(cluster: str) -> str:
    return unicodedata.normalize("NFKC", cluster).translate(FOLDED)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """The pieces that NFKC normalises by themselves: a character and what combines with it."""
    starts = [place for place, one in enumerate(text) if not (place and _CONTINUES[one])]
    return zip(starts, [*starts[1:], len(text)], strict=False)
