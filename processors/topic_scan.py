"""One scan for every term of every topic, and which topics it is worth asking further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

from processors.analysis import analyse
from processors.topic import NAME, Topic

Hit = tuple[int, int, int]
"""Pattern, and the first character and the one after the last in the scanned text."""

MASK, WEIGHT = "/mask", "/weight:"
"""Pseudo-lists; a list of a topic file holds no slash but in ``<rule>/any``."""


@dataclass(frozen=True, slots=True)
class Use:
    """One term in one list of one topic; ``cased`` where letters must match as written."""

    topic: int
    list: str
    cased: str


class Scan:
    """Every term as a leaf of one automaton.

    A wildcard at a word's end costs nothing: its pattern only lacks the closing space.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._patterns: dict[str, int] = {}
        self._uses: list[list[Use]] = []
        self._wakes: list[int] = []
        self._chances = [_chances(topic) for topic in topics]
        for number, topic in enumerate(topics):
            self._enter_topic(number, topic)
        self._automaton = AhoCorasick(
            list(self._patterns), implementation=Implementation.ContiguousNFA
        )

    def hits(self, text: str) -> list[Hit]:
        """Every occurrence of every term in ``text``: folded words with blanks around each."""
        found: list[Hit] = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return found

    def woken(self, hits: Sequence[Hit], allowed: int) -> set[int]:
        """The topics among ``allowed`` (a bit each) of which a scoring rule has all its lists."""
        bits = 0
        for pattern, _, _ in hits:
            bits |= self._wakes[pattern]
        woken = set(_bits(bits & allowed))
        if not woken:
            return woken
        present: dict[int, set[str]] = {number: set() for number in woken}
        for pattern in {pattern for pattern, _, _ in hits}:
            for use in self._uses[pattern]:
                if use.topic in woken:
                    present[use.topic].add(use.list)
        return {number for number in woken if self._has_chance(number, present[number])}

    def uses(self, pattern: int) -> Sequence[Use]:
        """Whose terms a pattern is."""
        return self._uses[pattern]

    def _has_chance(self, number: int, present: set[str]) -> bool:
        return any(present.issuperset(lists) for lists in self._chances[number])

    def _enter_topic(self, number: int, topic: Topic) -> None:
        waking = {lists[0] for lists in self._chances[number] if lists}
        for name, terms in _all_lists(topic):
            for term in terms:
                if term != NAME:
                    use = Use(number, name, term[1:] if term.startswith("=") else "")
                    self._enter(term_pattern(term), use, wakes=name in waking)

    def _enter(self, pattern: str, use: Use, *, wakes: bool) -> None:
        number = self._patterns.setdefault(pattern, len(self._patterns))
        if number == len(self._uses):
            self._uses.append([])
            self._wakes.append(0)
        self._uses[number].append(use)
        if wakes:
            self._wakes[number] |= 1 << use.topic


def term_pattern(term: str) -> str:
    """What the automaton looks for: the term's folded words, a blank at each closed end."""
    words = " ".join(analyse(term.strip("=*")).words)
    head = "" if term.startswith("*") else " "
    return f"{head}{words}" if term.endswith("*") else f"{head}{words} "


def _all_lists(topic: Topic) -> Iterator[tuple[str, Sequence[str]]]:
    """The topic's lists, its mask and each fitted word as a list of its own."""
    yield from topic.lists.items()
    yield MASK, topic.mask
    for word in topic.weights:
        yield f"{WEIGHT}{word}", (word,)


def _chances(topic: Topic) -> list[tuple[str, ...]]:
    """The lists of each rule that can start a tag: it gives points and is no gate.

    Lists that names can stand in are left out, as names are looked for only later.
    """
    named = {name for name, terms in topic.lists.items() if NAME in terms}
    rules = [rule for rule in topic.rules if rule.points > 0 and rule.id not in topic.require]
    return [tuple(name for name in rule.lists if name not in named) for rule in rules]


def _bits(number: int) -> Iterator[int]:
    """The positions of the set bits."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low
