"""What the owner of shards has to write: in order, only where the shard is still its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import compress

from ingest.errors import UnavailableError
from ingest.log import Log, NewRecord
from search.alert_state import ALERT, SINCE, TOPIC
from search.last_words import LastWords
from search.ownership import Ownership

FLUSH = 500
"""Records in one append at most: 20,000 alerts of one article reach the sender as they are made,
and nobody else's append waits for all of them."""

SAY_AGAIN_SECONDS = 5.0
"""How soon the late word of an earlier owner is set right."""


class Outbox:
    """Records to be appended; ``wake`` is called with the ids of alerts once they are durable.

    For one thread.

    Args:
        doubt: Called with the ids of alerts whose claims may be in the log, although it refused.

    Attributes:
        held: The shards we write for, each with the generation since which it is ours.
        touched: Those of which something is to be written or was, since this was last cleared.
    """

    def __init__(
        self,
        log: Log,
        shards: Ownership,
        *,
        wake: Callable[[Sequence[str]], None],
        doubt: Callable[[Sequence[str]], None],
        crash_point: Callable[[str], None],
    ) -> None:
        self.held: Mapping[int, int] = {}
        self.touched: set[int] = set()
        self._log = log
        self._shards = shards
        self._wake = wake
        self._doubt = doubt
        self._crash_point = crash_point
        self._made: list[NewRecord] = []
        self._words = LastWords(shards)
        self._said = 0.0

    @property
    def is_full(self) -> bool:
        """Whether it is time to append."""
        return len(self._made) >= FLUSH

    def add(self, record: NewRecord) -> None:
        """Have ``record`` written with the next append, after all that came before."""
        self._made.append(record)
        if record.topic == TOPIC:
            self.touched.add(record.partition or 0)

    def append(self) -> None:
        """Write it all. Raises as ``Log.append``."""
        made, self._made = [one for one in self._made if self._is_ours(one)], []
        if not made:
            return
        claimed = _claimed(made)
        try:
            offsets = self._log.append(made)
        except UnavailableError:
            self._doubt(claimed)
            raise
        applied = [one.key.startswith(SINCE) for one in made]
        self._words.written([*compress(made, applied)], [*compress(offsets, applied)])
        if claimed:
            self._crash_point("K6")
            self._wake(claimed)

    def look_again(self) -> None:
        """As ``say_again``, every few seconds, however often it is called."""
        now = time.monotonic()
        if now - self._said > SAY_AGAIN_SECONDS:
            self._said = now
            self.say_again()

    def say_again(self) -> None:
        """Write again what is in force, where an earlier owner's late word hides it."""
        if keys := self._words.keys():
            for record in self._words.overtaken(self._log.table(TOPIC).many(keys)):
                self.add(record)
            self.append()

    def _is_ours(self, record: NewRecord) -> bool:
        """A stalled owner that wakes in the middle of its work finds out here (row F58)."""
        shard = record.partition or 0
        return record.topic != TOPIC or self._shards.holds(shard, self.held.get(shard, -1))


def _claimed(made: Sequence[NewRecord]) -> list[str]:
    """The ids of the alerts that ``made`` claims."""
    return [
        one.key.removeprefix(ALERT)
        for one in made
        if one.topic == TOPIC and one.key.startswith(ALERT) and one.value is not None
    ]
