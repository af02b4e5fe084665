"""What words, sentences and paragraphs a text has: the one analysis of articles and queries.

The text is put into NFKC, folded character by character (``processors.folding``) and split into
words. ``joined`` comes from one quick pass over the whole text. Offsets, case-kept words and
sentences come from a second, slower pass over the same tables, when first asked for; both passes
give the same words (a Hypothesis test says so). Whoever reads one article's offsets pays for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from processors.folding import END, START, Continues, Table
from processors.sentences import sentence_ends

PARAGRAPH = "¶"
"""The token at a paragraph end: phrases do not cross it, NEAR counts it as a word."""

MAX_TOKEN_UNITS = 255
"""UTF-16 units at which a token is cut: Elasticsearch's whitespace tokenizer splits there."""

MAX_SENTENCE_WORDS = 500
"""Words at which a sentence is cut: Elasticsearch finds SAMESENT by a gap of this many."""

_FOLDED = Table()
_CASED = Table(cased=True)
_CONTINUES = Continues()
_FEW = 16  # words asked for one by one before all are put into a dict, which takes as long
_GONE = "\0"  # stands for a removed character until offsets are read; no input keeps it
_BREAKS = frozenset(" \n")
_VOWELS = frozenset("aeiouyh")
_ELIDED = re.compile(
    r"(?:^|[ \n])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu"
    r"|gl|un|dell|all|dall|nell|sull|coll|quell|quest|bell|sant|tutt|anch|dov|com)$"
)
_GERSHAYIM = re.compile('["”״](?<=[א-ת].)(?=[א-ת])')
_TYPOGRAPHY = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("–", "-"), ("—", "-"), ("…", "."))
_TOKEN = re.compile(r"[^ \n]+|\n")
_JOINER = f" {PARAGRAPH} "


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
    def _traced(self) -> _Traced:
        return _trace(self.text)

    @property
    def cased(self) -> tuple[str, ...]:
        """The words with their case kept, one for each of ``words``."""
        return self._traced.cased

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """(start, end) in ``text`` of every word."""
        return self._traced.offsets

    @cached_property
    def sentences(self) -> tuple[int, ...]:
        """The number of the sentence, from 0, that every word is in."""
        return _number_sentences(self.text, self.offsets)

    def beginning(self, end: int) -> Analysed:
        """The first ``end`` words as a text of their own, with the same offsets."""
        found = Analysed(self.text, " ".join(self.words[:end]))
        traced = _Traced(self.cased[:end], self.offsets[:end])
        found.__dict__.update(_traced=traced, sentences=self.sentences[:end])
        return found

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``text`` of the words from ``start`` to before ``end``."""
        return self.offsets[start][0], self.offsets[end - 1][1]


@dataclass(frozen=True, slots=True)
class _Traced:
    cased: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]


def analyse(text: str) -> Analysed:
    """``text`` with its words; never raises. About 0.03 ms for 400 English words."""
    folded = _normalised(text).translate(_FOLDED)
    return Analysed(text, _join(_segmented(folded, _joints(folded))))


def fold(value: str) -> str:
    """The words of ``value`` with one blank between them: how metadata values are compared."""
    return analyse(value.replace("\n", " ")).joined


def pattern_words(chunk: str) -> list[str]:
    """The words of a piece of a query that has no blanks, ``*`` and ``?`` kept as letters."""
    folded = _normalised(chunk).translate(_PATTERN)
    folded = re.sub(rf"{END}(?=[*?])|(?<=[*?]){START}", "", folded)
    return _join(_segmented(folded, _joints(folded))).split()


_PATTERN = Table(kept="*?")


def _normalised(text: str) -> str:
    """``text`` in NFKC; plain typography is made ASCII first, which is quicker and folds alike."""
    text = _plain(text)
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _plain(text: str) -> str:
    """``text`` of the same length with typography made ASCII."""
    if text.isascii():
        return text
    text = _GERSHAYIM.sub("\u200d", text)
    for old, new in _TYPOGRAPHY:
        text = text.replace(old, new)
    return text


def _joints(folded: str) -> list[str]:
    """What takes the place of each apostrophe in ``folded``: nothing, or a blank."""
    if "'" not in folded:
        return []
    parts = folded.replace(START, " ").replace(END, " ").split("'")
    return [_joint(left, right) for left, right in zip(parts, parts[1:], strict=False)]


def _joint(left: str, right: str) -> str:
    first = right[:1]
    if not left or not first or left[-1] in _BREAKS or first in _BREAKS:
        return " "
    if first == "s" and (len(right) == 1 or right[1] in _BREAKS):  # russia's: russia, s
        return " "
    if first in _VOWELS and _ELIDED.search(left[-9:]):  # l'accord: l, accord
        return " "
    return _GONE


def _segmented(folded: str, joints: Sequence[str]) -> str:
    """``folded`` with the marks of the table resolved, character for character."""
    if joints:
        first, *others = folded.split("'")
        folded = first + "".join(
            joint + part for joint, part in zip(joints, others, strict=True)
        )
    if START in folded:
        folded = folded.replace(END + START, _GONE + _GONE)
        folded = folded.replace(START, " ").replace(END, " ")
    return folded


def _join(segmented: str) -> str:
    paragraphs = (_join_line(line) for line in segmented.replace(_GONE, "").split("\n"))
    return _JOINER.join(paragraph for paragraph in paragraphs if paragraph)


def _join_line(line: str) -> str:
    words = line.split()
    if words and len(max(words, key=len)) * 2 > MAX_TOKEN_UNITS:
        words = [_cut(word) for word in words]
    return " ".join(words)


def _cut(word: str) -> str:
    if len(word) * 2 <= MAX_TOKEN_UNITS:
        return word
    return word.encode("utf-16-le")[: MAX_TOKEN_UNITS * 2].decode("utf-16-le", "ignore")


def _places(word: str, words: tuple[str, ...]) -> Sequence[int]:
    found: list[int] = []
    place = -1
    try:
        while True:
            place = words.index(word, place + 1)
            found.append(place)
    except ValueError:  # how ``index`` says that there is no more
        return found


def _trace(text: str) -> _Traced:
    """Case-kept words and offsets of ``text``."""
    plain = _plain(text)
    if plain.isascii():  # character for character
        folded, cased, origins = plain.translate(_FOLDED), plain.translate(_CASED), None
    else:
        folded, cased, origins = _pieces(_GERSHAYIM.sub("\u200d", text))
    joints = _joints(folded)
    segmented = _segmented(folded, joints)
    offsets = [match.span() for match in _TOKEN.finditer(segmented)]
    words = _TOKEN.findall(_segmented(cased, joints))
    if "\n" in segmented:
        kept = list(_without_empty_paragraphs(words))
        words = [words[place] for place in kept]
        offsets = [offsets[place] for place in kept]
    if origins is not None:
        offsets = [(origins[start][0], origins[end - 1][1]) for start, end in offsets]
    return _Traced(tuple(map(_finished, words)), tuple(offsets))


def _pieces(text: str) -> tuple[str, str, list[tuple[int, int]]]:
    """``text`` folded, with its case kept, and where in it each folded character comes from."""
    folded: list[str] = []
    cased: list[str] = []
    origins: list[tuple[int, int]] = []
    for start, end in _clusters(text):
        cluster = text[start:end]
        piece, kept = _PIECES[cluster] if end - start == 1 else _PIECES.made_of(cluster)
        folded.append(piece)
        cased.append(kept)
        if len(piece) == 1:
            origins.append((start, end))
        else:
            origins.extend([(start, end)] * len(piece))
    return "".join(folded), "".join(cased), origins


class _Pieces(dict[str, tuple[str, str]]):
    """A character folded, and with its case kept."""

    def __missing__(self, character: str) -> tuple[str, str]:
        found = self[character] = self.made_of(character)
        return found

    def made_of(self, cluster: str) -> tuple[str, str]:
        normal = unicodedata.normalize("NFKC", cluster)
        return normal.translate(_FOLDED), normal.translate(_CASED)


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
    return PARAGRAPH if word == "\n" else _cut(word.replace(_GONE, ""))


def _number_sentences(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    ends = iter([*sentence_ends(text), len(text)])
    numbers: list[int] = []
    number, length, end = 0, 0, next(ends)
    for start, _ in offsets:
        if start >= end or length == MAX_SENTENCE_WORDS:
            number, length = number + bool(length), 0
            while start >= end:
                end = next(ends)
        length += 1
        numbers.append(number)
    return tuple(numbers)
