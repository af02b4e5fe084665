"""The leaves of many queries, and one automaton that finds them all in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation

from processors.document import Document
from processors.postings import Numbers
from processors.query_tree import Cased, Field, Part, Phrase, Term, Wildcard, Word
from processors.reference import holds

_WILDCARDS = re.compile(r"[*?]+")
_SEPARATOR = b" \x00 "  # between title and body; no word is a NUL


class Leaves:
    """Numbers for terms and field values, given once each."""

    def __init__(self) -> None:
        self._numbers: dict[Term | Field, int] = {}

    def number(self, leaf: Term | Field) -> int:
        """The number of ``leaf``; equal leaves have the same."""
        return self._numbers.setdefault(leaf, len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def all(self) -> Sequence[Term | Field]:
        """Every leaf; its place is its number."""
        return list(self._numbers)


def literal(term: Term) -> tuple[str, bool]:
    """A string that stands in the joined words wherever ``term`` occurs.

    And whether the reverse is true as well.
    """
    parts: tuple[Part, ...] = term.parts if isinstance(term, Phrase) else (term,)
    whole = f" {' '.join(map(_pattern, parts))} "
    is_cased = any(isinstance(part, Cased) for part in parts)
    if not _WILDCARDS.search(whole):
        return whole, not is_cased
    whole = whole.removeprefix(" *").removesuffix("* ")
    pieces = _WILDCARDS.split(whole)
    return max(pieces, key=lambda piece: len(piece.strip())), len(pieces) == 1 and not is_cased


def _pattern(part: Part) -> str:
    match part:
        case Word(value=value):
            return value
        case Wildcard(pattern=pattern):
            return pattern
        case Cased(folded=folded):
            return folded


class LeafFinder:
    """Which of ``leaves`` a document has: one pass of one automaton over its words.

    A found pattern settles a leaf of the whole text or of the title. What costs extra is paid by
    few: a leaf with an inner wildcard or a case, or one of lead or body alone, is looked at again
    where its longest literal piece was found.
    """

    def __init__(self, leaves: Sequence[Term | Field]) -> None:
        self._fields: dict[tuple[str, str], int] = {}
        self._unsure: dict[int, list[tuple[int, Term]]] = {}
        patterns: dict[str, int] = {}
        anywhere: list[int] = []  # by pattern: the leaf that it settles, or -1
        in_title: list[int] = []
        for number, leaf in enumerate(leaves):
            if isinstance(leaf, Field):
                self._fields[leaf.name, leaf.value] = number
                continue
            text, is_exact = literal(leaf)
            pattern = patterns.setdefault(text, len(patterns))
            if pattern == len(anywhere):
                anywhere.append(-1)
                in_title.append(-1)
            settled = {None: anywhere, "title": in_title}.get(leaf.zone)
            if is_exact and settled is not None and settled[pattern] < 0:
                settled[pattern] = number
            else:
                self._unsure.setdefault(pattern, []).append((number, leaf))
        self._settled = (np.array(anywhere, np.int32), np.array(in_title, np.int32))
        self._has_title = any(number >= 0 for number in in_title)
        self._automaton = BytesAhoCorasick(
            [text.encode() for text in patterns], implementation=Implementation.ContiguousNFA
        )

    def find(self, document: Document) -> Numbers:
        """The numbers of the leaves that ``document`` has, rising."""
        title = document.title.joined.encode()
        text = b"".join((b" ", title, _SEPARATOR, document.body.joined.encode(), b" "))
        hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
        patterns = _numbers({hit[0] for hit in hits})
        found: list[Numbers] = [self._settled[0][patterns]]
        if self._has_title:
            found.append(self._found_in_title(hits, len(title) + 2))
        if self._unsure:
            found.append(self._found_again(patterns, document))
        if self._fields:
            known = self._fields
            fields = [known[value] for value in document.values if value in known]
            found.append(np.array(fields, np.int64))
        numbers = np.sort(np.concatenate(found))
        return numbers[numbers.searchsorted(0) :]

    def _found_in_title(self, hits: Sequence[tuple[int, int, int]], end: int) -> Numbers:
        patterns = set()
        for pattern, _, stop in hits:  # they come in the order in which they end
            if stop > end:
                break
            patterns.add(pattern)
        return self._settled[1][_numbers(patterns)]

    def _found_again(self, patterns: Numbers, document: Document) -> Numbers:
        unsure = self._unsure
        found = [
            number
            for pattern in patterns.tolist()
            for number, leaf in unsure.get(pattern, ())
            if holds(leaf, document)
        ]
        return np.array(found, np.int64)


def _numbers(found: set[int]) -> Numbers:
    return np.fromiter(found, np.int64, len(found))
