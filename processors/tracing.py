"""The second pass over a text: case-kept words and where in the original each word stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from processors.folding import Continues, Table
from processors.segmentation import GERSHAYIM, GONE, PARAGRAPH, cut, joints_of, plain, segmented_by

FOLDED = Table()
_CASED = Table(cased=True)
_CONTINUES = Continues()
_TOKEN = re.compile(r"[^ \n]+|\n")
_STRETCH = re.compile(r"[\x00-\x7f]+(?![^\x00-\x7f])|[\x00-\x7f]?[^\x00-\x7f]+")
"""ASCII by itself, or else with the one letter before it that a mark may combine with."""


@dataclass(frozen=True, slots=True)
class Trace:
    """For every word: the word with its case kept, and its (start, end) in the original."""

    cased: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]


def trace(text: str) -> Trace:
    """Case-kept words and offsets of ``text``."""
    simple = plain(text)
    if simple.isascii():  # character for character
        folded, cased, origins = simple.translate(FOLDED), simple.translate(_CASED), None
    else:
        folded, cased, origins = _pieces(GERSHAYIM.sub("\u200d", text))
    joints = joints_of(folded)
    segmented = segmented_by(folded, joints)
    offsets = [match.span() for match in _TOKEN.finditer(segmented)]
    words = _TOKEN.findall(segmented_by(cased, joints))
    if "\n" in segmented:
        kept = list(_without_empty_paragraphs(words))
        words = [words[place] for place in kept]
        offsets = [offsets[place] for place in kept]
    if origins is not None:
        offsets = [(origins[start][0], origins[end - 1][1]) for start, end in offsets]
    return Trace(tuple(map(_finished, words)), tuple(offsets))


def _pieces(text: str) -> tuple[str, str, list[tuple[int, int]]]:
    """``text`` folded, with its case kept, and where in it each folded character comes from."""
    folded: list[str] = []
    cased: list[str] = []
    origins: list[tuple[int, int]] = []
    for stretch in _STRETCH.finditer(text):
        start, end = stretch.span()
        found = stretch.group()
        if found.isascii():  # character for character
            folded.append(found.translate(FOLDED))
            cased.append(found.translate(_CASED))
            origins.extend(zip(range(start, end), range(start + 1, end + 1), strict=True))
            continue
        for first, last in _clusters(found):
            cluster = found[first:last]
            piece, kept = _PIECES[cluster] if last - first == 1 else _PIECES.made_of(cluster)
            folded.append(piece)
            cased.append(kept)
            origins.extend([(start + first, start + last)] * len(piece))
    return "".join(folded), "".join(cased), origins


class _Pieces(dict[str, tuple[str, str]]):
    """A character folded, and with its case kept."""

    def __missing__(self, character: str) -> tuple[str, str]:
        found = self[character] = self.made_of(character)
        return found

    def made_of(self, cluster: str) -> tuple[str, str]:
        normal = unicodedata.normalize("NFKC", cluster)
        return normal.translate(FOLDED), normal.translate(_CASED)


_PIECES = _Pieces()


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """The pieces that NFKC normalises by themselves: a character and what combines with it."""
    starts = [place for place, one in enumerate(text) if not (place and _CONTINUES[one])]
    return zip(starts, [*starts[1:], len(text)], strict=False)


def _without_empty_paragraphs(words: Sequence[str]) -> Iterator[int]:
    """Places of the words and of each paragraph end that has words before and behind it."""
    end = -1
    is_open = False
    for place, word in enumerate(words):
        if word == "\n":
            end = place if is_open and end < 0 else end
            continue
        if end >= 0:
            yield end
        end, is_open = -1, True
        yield place


def _finished(word: str) -> str:
    return PARAGRAPH if word == "\n" else cut(word.replace(GONE, ""))
