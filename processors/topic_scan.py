"""One scan for every term of every topic, and which topics are worth scoring.

Terms are leaves of one automaton, so a text costs the same for ten topics as for a thousand. Then
numpy adds up, for all topics at once, what the rules whose lists are present could give at most;
only topics that could still reach their review band are scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from ahocorasick_rs import AhoCorasick, Implementation
from numpy.typing import NDArray

from processors.analysis import analyse
from processors.topic import NAME, Rule, Topic

Hit = tuple[int, int, int]
"""Pattern, and the first character and the one after the last in the scanned text."""

MASK, WEIGHT = "/mask", "/weight:"
"""Pseudo-lists; a list of a topic file holds no slash but in ``<rule>/any``."""

MAX_LISTS = 3
"""Lists a rule can name: ``near`` takes two or three."""


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
        self._lists: dict[tuple[int, str], int] = {}
        entries: list[tuple[int, int]] = []
        for number, topic in enumerate(topics):
            for name, terms in _all_lists(topic):
                place = self._lists.setdefault((number, name), len(self._lists))
                for term in terms:
                    if term != NAME:
                        pattern = self._enter(term, Use(number, name, _cased(term)))
                        entries.append((pattern, place))
        entries.sort()
        both = np.array(entries, dtype=np.int64).reshape(-1, 2)
        self._entry_lists = both[:, 1].copy()
        self._counts = np.bincount(both[:, 0], minlength=len(self._patterns))
        self._firsts = np.cumsum(self._counts) - self._counts
        self._bounds = _Bounds(topics, self._lists)
        self._automaton = AhoCorasick(
            list(self._patterns), implementation=Implementation.ContiguousNFA
        )

    def hits(self, text: str) -> list[Hit]:
        """Every occurrence of every term in ``text``: folded words with blanks around each."""
        found: list[Hit] = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return found

    def woken(self, hits: Sequence[Hit], *, length: int | None) -> set[int]:
        """The topics that a text of ``length`` words could put into their review band.

        Never leaves one out that could; without a length every topic that any rule touched.
        """
        if not hits:
            return set()
        patterns = np.fromiter({pattern for pattern, _, _ in hits}, dtype=np.int64)
        counts = self._counts[patterns]
        # Entries of one pattern lie together: from its first one, as many as it has.
        before = np.cumsum(counts) - counts
        steps = np.arange(counts.sum()) - np.repeat(before, counts)
        lists = self._entry_lists[np.repeat(self._firsts[patterns], counts) + steps]
        return self._bounds.woken(lists, length)

    def places(
        self, hits: Sequence[Hit], woken: AbstractSet[int]
    ) -> Iterator[tuple[Use, int, int]]:
        """The hits of the woken topics' terms: whose term it is, first and last character."""
        uses = self._uses
        for pattern, start, end in hits:
            for use in uses[pattern]:
                if use.topic in woken:
                    yield use, start, end

    def _enter(self, term: str, use: Use) -> int:
        number = self._patterns.setdefault(term_pattern(term), len(self._patterns))
        if number == len(self._uses):
            self._uses.append([])
        self._uses[number].append(use)
        return number


class _Bounds:
    """The most points that every topic can get from the lists that are present."""

    def __init__(self, topics: Sequence[Topic], lists: dict[tuple[int, str], int]) -> None:
        self._size, always = len(lists) + 1, len(lists)
        rows: list[list[int]] = []
        owners: list[int] = []
        most: list[float] = []
        gates: list[list[int]] = []
        gate_owners: list[int] = []
        for number, topic in enumerate(topics):
            for rule in topic.rules:
                # Names are looked for only after this step, so their lists count as present.
                named = [NAME in topic.lists[name] for name in rule.lists]
                row = [
                    always if is_named else lists[number, name]
                    for name, is_named in zip(rule.lists, named, strict=True)
                ]
                row += [always] * (MAX_LISTS - len(row))
                if rule.id in topic.require:
                    gates.append(row)
                    gate_owners.append(number)
                rows.append(row)
                owners.append(number)
                most.append(_most(rule, topic))
        self._rows, self._owners = _matrix(rows), np.array(owners, dtype=np.int32)
        self._most = np.array(most)
        self._gates, self._gate_owners = _matrix(gates), np.array(gate_owners, dtype=np.int32)
        self._starts = np.array(
            [rule.id not in topic.require for topic in topics for rule in topic.rules], dtype=bool
        )
        self._weights = np.array([_positive(topic) for topic in topics])
        self._need = np.array([_review_points(topic) for topic in topics])
        self._doubling = np.array([topic.calibration.doubling for topic in topics])
        self._words = np.array([topic.calibration.words for topic in topics], dtype=float)

    def woken(self, lists: NDArray[np.int64], length: int | None) -> set[int]:
        present = np.zeros(self._size, dtype=bool)
        present[lists] = True
        present[-1] = True
        fired = present[self._rows].all(axis=1)
        started = self._owners[fired & self._starts]
        if not started.size:
            return set()
        count = len(self._need)
        awake = np.bincount(started, minlength=count) > 0
        if length is not None:
            shut = self._gate_owners[~present[self._gates].all(axis=1)]
            bound = self._weights + np.bincount(
                self._owners[fired], weights=self._most[fired], minlength=count
            )
            longer = np.log2(np.maximum(length / self._words, 1.0))
            awake &= bound >= self._need + self._doubling * longer
            awake[shut] = False
        return set(np.flatnonzero(awake).tolist())


def term_pattern(term: str) -> str:
    """What the automaton looks for: the term's folded words, a blank at each closed end."""
    words = " ".join(analyse(term.strip("=*")).words)
    head = "" if term.startswith("*") else " "
    return f"{head}{words}" if term.endswith("*") else f"{head}{words} "


def _cased(term: str) -> str:
    """The word that must match letter for letter, where the term asks for it."""
    return term[1:] if term.startswith("=") else ""


def _all_lists(topic: Topic) -> Iterator[tuple[str, Sequence[str]]]:
    """The topic's lists, its mask and each fitted word as a list of its own."""
    yield from topic.lists.items()
    yield MASK, topic.mask
    for word in topic.weights:
        yield f"{WEIGHT}{word}", (word,)


def _matrix(rows: list[list[int]]) -> NDArray[np.int32]:
    return np.array(rows, dtype=np.int32).reshape(-1, MAX_LISTS)


def _most(rule: Rule, topic: Topic) -> float:
    """The points of ``rule`` at its best, so that the bound is never too low."""
    zones = topic.zones
    boost = max(zones.title, zones.lead, zones.body) if rule.zone_boost else 1.0
    return max(0.0, rule.most * boost)


def _positive(topic: Topic) -> float:
    return math.fsum(points for points in topic.weights.values() if points > 0)


def _review_points(topic: Topic) -> float:
    """The points with which a short text reaches the review band, a little less for rounding."""
    calibration = topic.calibration
    odds = math.log(topic.review / (1 - topic.review))
    return calibration.points + odds / calibration.slope - 1e-6
