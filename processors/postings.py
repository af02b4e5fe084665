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
        self._lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._total = int(self._lengths.sum())
        # 32 bits: sorting, half of the work, is twice as quick as with 64.
        self._numbers = np.fromiter((one for some in lists for one in some), np.int32, self._total)

    def of(self, owners: Numbers) -> Numbers:
        """The lists of all ``owners``, end to end and sorted."""
        if not self._total or not len(owners):
            return self._numbers[:0]
        lengths = self._lengths[owners]
        ends = lengths.cumsum()
        steps = np.arange(ends[-1])
        steps += (self._starts[owners] - (ends - lengths)).repeat(lengths)
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
