"""The leaves of many queries, and one automaton that finds them all in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ahocorasick_rs import BytesAhoCorasick, Implementation

from processors.document import Document
from processors.query_tree import Cased, Field, Phrase, Term, Wildcard, Word
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
    """A string that stands in the joined words wherever ``term`` occurs, and whether the reverse
    is true as well.
    """
    parts = term.parts if isinstance(term, Phrase) else (term,)
    whole = f" {' '.join(map(_pattern, parts))} "
    is_cased = any(isinstance(part, Cased) for part in parts)
    if not _WILDCARDS.search(whole):
        return whole, not is_cased
    whole = whole.removeprefix(" *").removesuffix("* ")
    pieces = _WILDCARDS.split(whole)
    return max(pieces, key=lambda piece: len(piece.strip())), len(pieces) == 1 and not is_cased


def _pattern(part: Word | Wildcard | Cased | Phrase) -> str:
    match part:
        case Word(value=value):
            return value
        case Wildcard(pattern=pattern):
            return pattern
        case Cased(folded=folded):
            return folded
        case Phrase():
            raise TypeError("a phrase has no phrases in it")


class LeafFinder:
    """Which of ``leaves`` a document has: one pass of one automaton over its words.

    A found pattern settles a leaf of the whole text or of the title. What costs extra is paid by
    few: a leaf with an inner wildcard or a case, or one of lead or body alone, is looked at again
    where its longest literal piece was found.
    """

    def __init__(self, leaves: Sequence[Term | Field]) -> None:
        self._fields: dict[tuple[str, str], int] = {}
        self._unsure: dict[int, list[tuple[int, Term]]] = {}
        self._anywhere: list[int] = []  # by pattern: the leaf that it settles, or -1
        self._in_title: list[int] = []
        patterns: dict[str, int] = {}
        for number, leaf in enumerate(leaves):
            if isinstance(leaf, Field):
                self._fields[leaf.name, leaf.value] = number
            else:
                self._add(number, leaf, patterns)
        self._has_title = any(number >= 0 for number in self._in_title)
        self._automaton = BytesAhoCorasick(
            [text.encode() for text in patterns], implementation=Implementation.ContiguousNFA
        )

    def _add(self, number: int, leaf: Term, patterns: dict[str, int]) -> None:
        text, is_exact = literal(leaf)
        pattern = patterns.setdefault(text, len(patterns))
        if pattern == len(self._anywhere):
            self._anywhere.append(-1)
            self._in_title.append(-1)
        settled = {None: self._anywhere, "title": self._in_title}.get(leaf.zone)
        if is_exact and settled is not None and settled[pattern] < 0:
            settled[pattern] = number
        else:
            self._unsure.setdefault(pattern, []).append((number, leaf))

    def find(self, document: Document) -> set[int]:
        """The numbers of the leaves that ``document`` has."""
        title = document.title.joined.encode()
        text = b"".join((b" ", title, _SEPARATOR, document.body.joined.encode(), b" "))
        hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
        anywhere = self._anywhere
        found = {anywhere[hit[0]] for hit in hits}
        if self._has_title:
            found |= self._found_in_title(hits, len(title) + 2)
        found.discard(-1)
        if self._unsure:
            found |= self._found_again({hit[0] for hit in hits}, document)
        if self._fields:
            known = self._fields
            found.update(known[value] for value in document.values if value in known)
        return found

    def _found_in_title(self, hits: Sequence[tuple[int, int, int]], end: int) -> set[int]:
        found = set()
        for hit in hits:  # they come in the order in which they end
            if hit[2] > end:
                break
            found.add(self._in_title[hit[0]])
        return found

    def _found_again(self, patterns: set[int], document: Document) -> set[int]:
        unsure = self._unsure
        return {
            number
            for pattern in patterns & unsure.keys()
            for number, leaf in unsure[pattern]
            if holds(leaf, document)
        }
