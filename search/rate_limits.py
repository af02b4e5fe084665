"""How often somebody may ask: a bucket each that fills with time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_KEPT = 10_000
"""Buckets in memory, 2 MB; the one used longest ago is forgotten first, and is full by then."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimit:
    """Lets each name ask ``burst`` times at once and ``per_minute`` times a minute on.

    In this process only: two ``serve`` processes let twice as much through.
    """

    def __init__(self, *, per_minute: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_seconds(self, name: str) -> float:
        """How long ``name`` has to wait before it may ask; 0 where it may now."""
        bucket = self._filled(name)
        return max(0.0, (1 - bucket.left) / self._rate)

    def count(self, name: str) -> None:
        """``name`` asked."""
        bucket = self._filled(name)
        bucket.left -= 1

    def _filled(self, name: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(left=self._burst, at=now))
        self._buckets.move_to_end(name)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if len(self._buckets) > MAX_KEPT:
            self._buckets.popitem(last=False)
        return bucket
