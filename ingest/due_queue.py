"""Which feed is due next, by a clock that never jumps."""

from __future__ import annotations

import heapq


class DueQueue:
    """Names with the monotonic time each is due; a name is in it once. O(log n) a change."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._due

    def put(self, name: str, due: float) -> None:
        """``name`` is due at ``due``, whatever was said before."""
        self._due[name] = due
        heapq.heappush(self._heap, (due, name))

    def drop(self, name: str) -> None:
        """``name`` is not due any more."""
        self._due.pop(name, None)

    def take(self, now: float) -> list[str]:
        """All that is due at ``now``, the earliest first; it leaves the queue."""
        found = []
        while (first := self._first()) is not None and first <= now:
            _, name = heapq.heappop(self._heap)
            del self._due[name]
            found.append(name)
        return found

    def late(self, now: float) -> int:
        """How many were due before ``now`` and are still here; from any thread."""
        return sum(due < now for due in tuple(self._due.values()))

    def wait(self, now: float, *, longest: float) -> float:
        """Seconds from ``now`` until the next is due, ``longest`` at most."""
        first = self._first()
        return longest if first is None else min(max(first - now, 0.0), longest)

    def _first(self) -> float | None:
        while self._heap:
            due, name = self._heap[0]
            if self._due.get(name) == due:
                return due
            heapq.heappop(self._heap)  # moved or dropped meanwhile
        return None
