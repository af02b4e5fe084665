"""What the quick pass leaves out: words with their case, and where in the original they stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from processors.folding import Continues, Table
from processors.segmentation import GERSHAYIM, joints_of, normalised, plain, segmented_by, words_of

FOLDED = Table()
_CASED = Table(cased=True)
_CONTINUES = Continues()
_TOKEN = re.compile(r"[^ \n]+|\n")
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
    simple = plain(text)
    if simple.isascii():  # character for character
        return tuple(_spans(simple.translate(FOLDED)))
    folded, starts, ends = _pieces(GERSHAYIM.sub("\u200d", text))
    return tuple((starts[start], ends[end - 1]) for start, end in _spans(folded))


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


def _folded(cluster: str) -> str:
    return unicodedata.normalize("NFKC", cluster).translate(FOLDED)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """The pieces that NFKC normalises by themselves: a character and what combines with it."""
    starts = [place for place, one in enumerate(text) if not (place and _CONTINUES[one])]
    return zip(starts, [*starts[1:], len(text)], strict=False)
