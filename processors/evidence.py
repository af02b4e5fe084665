"""Title and text as one run of tokens, and the way back to places in the original."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate

from processors.analysis import PARAGRAPH, Analysed
from processors.records import Evidence
from processors.scoring import LEAD_SENTENCES, RuleHit, Span, Tokens

MAX_SPANS = 200
"""Spans in one tag's evidence: enough to mark a page, and a record stays below its limit."""

QUOTED_SPANS = 4
"""How many spans of a rule its evidence quotes in words."""


class Joined:
    """One article as the topic engine reads it.

    Attributes:
        text: The tokens between single spaces, one at each end: what the automaton scans.
    """

    def __init__(self, title: Analysed, body: Analysed) -> None:
        self._title, self._body = title, body
        head = f"{title.joined} " if title.joined else ""
        self.text = f" {head}{PARAGRAPH} {body.joined} "

    @cached_property
    def length(self) -> int:
        """Words, without paragraph ends; what ``tokens.length`` is, without working them out."""
        sides = (self._title.joined, self._body.joined)
        return sum(side.count(" ") + 1 - side.count(PARAGRAPH) for side in sides if side)

    @cached_property
    def tokens(self) -> Tokens:
        """The words with sentence, paragraph and zone; worked out when first asked for."""
        return _tokens(self._title, self._body, self._words)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return (*self._title.words, PARAGRAPH, *self._body.words)

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(word) + 1 for word in self._words), initial=1))

    @cached_property
    def _cased(self) -> tuple[str, ...]:
        return (*self._title.cased, PARAGRAPH, *self._body.cased)

    def span(self, start: int, end: int) -> Span:
        """The tokens that hold the characters ``start`` to ``end`` of ``text``."""
        first = bisect_right(self._starts, start if self.text[start] != " " else start + 1) - 1
        last = bisect_right(self._starts, end - 1 if self.text[end - 1] != " " else end - 2) - 1
        return first, last + 1

    def is_cased(self, span: Span, word: str) -> bool:
        """Whether the span is ``word`` letter for letter."""
        return self._cased[span[0]] == word

    @cached_property
    def names(self) -> list[Span]:
        """Proper names: capitalised words inside a sentence that is not capitalised as a whole."""
        cased, sentences = self._cased, self.tokens.sentences
        capital = [word[:1].isupper() for word in cased]
        counts: dict[int, list[int]] = {}
        for number, is_capital in zip(sentences, capital, strict=True):
            counts.setdefault(number, []).append(is_capital)
        mixed = {number for number, seen in counts.items() if sum(seen) * 3 <= len(seen) * 2}
        return [
            (at, at + 1)
            for at in range(1, len(cased))
            if capital[at] and sentences[at] == sentences[at - 1] and sentences[at] in mixed
        ]

    def evidence(self, hits: Iterable[RuleHit]) -> tuple[Evidence, ...]:
        """What a reader sees: rules by weight, with places in the original title or text."""
        left = MAX_SPANS
        found: list[Evidence] = []
        for hit in sorted(hits, key=lambda hit: -abs(hit.points)):
            spans = tuple(self.place(span) for span in hit.spans[:left])
            if not spans:
                break
            left -= len(spans)
            found.append(
                Evidence(
                    rule=hit.rule,
                    points=round(hit.points, 2),
                    zone=hit.zone,
                    spans=spans,
                    text=" … ".join(self.quotes(hit.spans[:QUOTED_SPANS])),
                )
            )
        return tuple(found)

    def place(self, span: Span) -> tuple[int, int]:
        """(start, end) of a token span in the original title or text."""
        side, shift = self._side(span)
        return side.offsets[span[0] - shift][0], side.offsets[span[1] - 1 - shift][1]

    def quotes(self, spans: Sequence[Span]) -> list[str]:
        """The spans as written."""
        found: list[str] = []
        for span in spans:
            start, end = self.place(span)
            found.append(self._side(span)[0].text[start:end])
        return found

    def _side(self, span: Span) -> tuple[Analysed, int]:
        """The analysed field that holds ``span``, and the token number at which it begins."""
        shift = self.tokens.body
        return (self._title, 0) if span[0] < shift else (self._body, shift)


def _tokens(title: Analysed, body: Analysed, words: Sequence[str]) -> Tokens:
    """Tokens with sentences numbered on from the title and paragraphs counted by ``¶``."""
    start = len(title.words) + 1
    after = (title.sentences[-1] if title.sentences else -1) + 1
    sentences = (*title.sentences, after, *(number + after + 1 for number in body.sentences))
    lead = bisect_right(body.sentences, LEAD_SENTENCES - 1)
    marks = [word == PARAGRAPH for word in words]
    return Tokens(
        words=words,
        sentences=sentences,
        paragraphs=tuple(accumulate(marks)),
        body=start,
        lead_end=start + lead,
        length=len(words) - sum(marks),
    )
