"""How much to send to Elasticsearch at once, and how soon, after it said: too much."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.errors import UnavailableError

MAX_BYTES = 5_000_000
"""A request: a node takes a tenth of its heap in writes at once, then answers 429."""

MAX_OPERATIONS = 500
"""A request."""

FIRST_DELAY_SECONDS = 1.0
LAST_DELAY_SECONDS = 60.0
PATIENCE_SECONDS = 5.0
"""A longer wait is left to whoever writes: meanwhile it can say so, or be stopped."""

_LEAST_BYTES = 10_000


class Pace:
    """The pace of one writer. It halves its pieces and doubles its waits, and takes both back."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._delay_seconds = 0.0
        self._rest_until = 0.0
        self._cause = UnavailableError("")
        self.max_bytes = MAX_BYTES
        self.max_operations = MAX_OPERATIONS

    def wait(self) -> None:
        """Wait until it is time to send again.

        Raises:
            UnavailableError: that would be long; the cause given last.
        """
        rest = self._rest_until - self._clock()
        if rest > PATIENCE_SECONDS:
            raise self._cause
        if rest > 0:
            self._sleep(rest)

    def slower(self, cause: UnavailableError, *, retry_after: str = "") -> None:
        """Less and later, at least after the seconds in the header ``retry_after``."""
        self.smaller()
        self._cause = cause
        self._delay_seconds = max(FIRST_DELAY_SECONDS, 2 * self._delay_seconds)
        asked = float(retry_after[:9]) if retry_after.isdecimal() else 0.0
        self._delay_seconds = min(LAST_DELAY_SECONDS, max(self._delay_seconds, asked))
        self._rest_until = self._clock() + self._delay_seconds

    def smaller(self) -> None:
        """Less at once."""
        self.max_bytes = max(_LEAST_BYTES, self.max_bytes // 2)
        self.max_operations = max(1, self.max_operations // 2)

    def faster(self) -> None:
        """All of a request was taken."""
        self._delay_seconds = 0.0
        self.max_bytes = min(MAX_BYTES, 2 * self.max_bytes)
        self.max_operations = min(MAX_OPERATIONS, 2 * self.max_operations)
