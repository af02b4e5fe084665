"""Inverted lists in arrays: which clauses a leaf is in, which queries it bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.int64] | NDArray[np.int32]


class Postings:
    """Lists of numbers by owner, end to end in one array."""

    def __init__(self, lists: Sequence[Sequence[int]]) -> None:
        # 32 bits throughout: half the memory to touch, and sorting, half of the work, is twice
        # as quick. The end of a list is the start of the next, so both come with one look.
        self._starts = np.zeros(len(lists) + 1, np.int32)
        self._starts[1:] = np.cumsum(np.fromiter(map(len, lists), np.int32, len(lists)))
        self._total = int(self._starts[-1])
        self._numbers = np.fromiter((one for some in lists for one in some), np.int32, self._total)

    def of(self, owners: Numbers) -> Numbers:
        """The lists of all ``owners``, end to end and sorted."""
        if not self._total or not len(owners):
            return self._numbers[:0]
        starts = self._starts[owners]
        lengths = self._starts[owners + 1] - starts
        ends = lengths.cumsum()
        steps = np.arange(ends[-1])
        steps += (starts - (ends - lengths)).repeat(lengths)
        found = self._numbers[steps]
        found.sort()
        return found


def different(numbers: Numbers) -> Numbers:
    """The different ones of sorted ``numbers``."""
    if len(numbers) < 2:  # noqa: PLR2004 - one cannot be a repetition
        return numbers
    is_first = np.empty(len(numbers), bool)
    is_first[0] = True
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    return numbers[is_first]


def counted(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """The different ones of sorted ``numbers``, and how often each is there."""
    if not len(numbers):
        return numbers, np.zeros(0, np.int64)
    is_last = np.empty(len(numbers), bool)
    is_last[-1] = True
    np.not_equal(numbers[1:], numbers[:-1], out=is_last[:-1])
    lasts = is_last.nonzero()[0]
    counts = lasts.copy()
    counts[1:] -= lasts[:-1]
    counts[0] += 1
    return numbers[lasts], counts


def is_among(numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """For each of ``numbers``, whether it is one of the sorted ``others`` (at least one)."""
    places = others.searchsorted(numbers)
    places[places == len(others)] = 0
    found: NDArray[np.bool_] = others[places] == numbers
    return found
