"""What words, sentences and paragraphs a text has: the one analysis of articles and queries.

The text is put into NFKC, folded character by character (``processors.folding``) and split into
words (``processors.segmentation``): ``joined`` comes from one quick pass over the whole text.
Words with their case, and offsets, on which sentences rest, each come from a pass of their own
over the same tables (``processors.tracing``), when first asked for; all give the same words (a
test says so).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, count, groupby, repeat

from processors.folding import END, START, Table
from processors.segmentation import PARAGRAPH, joints_of, normalised, segmented_by, words_of
from processors.sentences import sentence_lengths
from processors.tracing import FOLDED, Trail, cased_words, offsets_of

__all__ = ["PARAGRAPH", "Analysed", "analyse", "fold", "pattern_words"]

_FEW = 16  # words asked for one by one before all are put into a dict, which takes as long
_PATTERN = Table(kept="*?")


@dataclass(frozen=True)
class Analysed:  # no slots: cached_property keeps what was worked out in the instance's dict
    """A text and its words.

    Attributes:
        text: The original.
        joined: The folded words, one blank between them.
    """

    text: str
    joined: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The folded words; a paragraph end is the word ``¶``."""
        return tuple(self.joined.split(" ")) if self.joined else ()

    @cached_property
    def positions(self) -> Mapping[str, Sequence[int]]:
        """Word to the places in ``words`` where it stands, rising."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(self.words):
            found[word].append(place)
        return dict(found)

    def places(self, word: str) -> Sequence[int]:
        """Where ``word`` stands, rising; quicker than ``positions`` while few words are asked."""
        known = self._places
        if len(known) > _FEW:
            return self.positions.get(word, ())
        if word not in known:
            known[word] = _places(word, self.words)
        return known[word]

    @cached_property
    def _places(self) -> dict[str, Sequence[int]]:
        return {}

    @cached_property
    def cased(self) -> tuple[str, ...]:
        """The words with their case kept, one for each of ``words``."""
        return cased_words(self.text)

    @cached_property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """(start, end) in ``text`` of every word."""
        return offsets_of(self.text)

    @cached_property
    def sentence_lengths(self) -> tuple[int, ...]:
        """How many words each sentence has; a sentence without words is none."""
        return sentence_lengths(self.text, self.offsets)

    @cached_property
    def sentences(self) -> tuple[int, ...]:
        """The number of the sentence, from 0, that every word is in."""
        return tuple(chain.from_iterable(map(repeat, count(), self.sentence_lengths)))

    def sentence(self, place: int) -> int:
        """The number of the sentence, from 0, that a word is in."""
        return bisect_right(self._sentence_ends, place)

    @cached_property
    def _sentence_ends(self) -> tuple[int, ...]:
        return tuple(accumulate(self.sentence_lengths))

    def beginning(self, end: int) -> Analysed:
        """The first ``end`` words as a text of their own, with the same offsets."""
        return _Beginning(self.text, " ".join(self.words[:end]), self, end)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``text`` of the words from ``start`` to before ``end``."""
        return self.edges(start)[0], self.edges(end - 1)[1]

    def edges(self, place: int) -> tuple[int, int]:
        """Offsets in ``text`` of one word: where few are asked for, quicker than ``offsets``."""
        word = self.words[place]
        found, known = self._trail.spans(word), self.places(word)
        if len(found) == len(known):
            return found[bisect_left(known, place)]
        return self.offsets[place]

    @cached_property
    def _trail(self) -> Trail:
        return Trail(self.text)


@dataclass(frozen=True)
class _Beginning(Analysed):
    """The words of ``whole`` up to ``end``."""

    whole: Analysed
    end: int

    @cached_property
    def words(self) -> tuple[str, ...]:
        return self.whole.words[: self.end]

    @cached_property
    def cased(self) -> tuple[str, ...]:
        return self.whole.cased[: self.end]

    @cached_property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        return self.whole.offsets[: self.end]

    def edges(self, place: int) -> tuple[int, int]:
        return self.whole.edges(place)

    @cached_property
    def sentence_lengths(self) -> tuple[int, ...]:
        return tuple(len([*group]) for _, group in groupby(self.sentences))

    @cached_property
    def sentences(self) -> tuple[int, ...]:
        return self.whole.sentences[: self.end]


def analyse(text: str) -> Analysed:
    """``text`` with its words; never raises. About 0.03 ms for 400 English words."""
    folded = normalised(text).translate(FOLDED)
    words = words_of(segmented_by(folded, joints_of(folded)))
    found = Analysed(text, " ".join(words))
    found.__dict__["words"] = tuple(words)  # nearly everybody asks for them
    return found


def fold(value: str) -> str:
    """The words of ``value`` with one blank between them: how metadata values are compared."""
    return analyse(value.replace("\n", " ")).joined


def pattern_words(chunk: str) -> list[str]:
    """The words of a piece of a query that has no blanks, ``*`` and ``?`` kept as letters."""
    folded = normalised(chunk).translate(_PATTERN)
    folded = re.sub(rf"{END}(?=[*?])|(?<=[*?]){START}", "", folded)
    return words_of(segmented_by(folded, joints_of(folded)))


def _places(word: str, words: tuple[str, ...]) -> Sequence[int]:
    found: list[int] = []
    place = -1
    try:
        while True:
            place = words.index(word, place + 1)
            found.append(place)
    except ValueError:  # how ``index`` says that there is no more
        return found
