"""The loop of a stage: take records, do the work, write and commit in one append."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from ingest.errors import FencedError, UnavailableError
from ingest.log import Commit, Consumer, Log, NewRecord, Partition, Record
from ingest.quarantine import Quarantine
from processors.back_off import back_off
from processors.work import Work

BATCH = 200
"""Records taken at a time: one durable write costs as much as tagging some ten articles."""

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What distinguishes one loop from another.

    Attributes:
        name: For the quarantine and the events: ``tag``, ``group``.
        crash_name: What the crash point is called before the append; with ``-written``, after.
        work: What one record leads to. Any error but those of the store sets the record aside.
        begun: Called before the work of each batch, with its records.
        written: Called when all that ``work`` gave is durable.
        assigned: Called when partitions come to this member; gives start offsets, or none.
    """

    name: str
    group: str
    topic: str
    crash_name: str
    work: Callable[[Record], Sequence[NewRecord]]
    begun: Callable[[Sequence[Record]], None] = lambda _: None
    written: Callable[[], None] = lambda: None
    assigned: Callable[[frozenset[Partition]], Mapping[Partition, int]] = lambda _: {}


class Loop:
    """Runs a stage over the log, at least once each record, in order. For one thread.

    Attributes:
        delay_seconds: How long to wait before the next step; 0 while all is well.
    """

    def __init__(
        self,
        log: Log,
        stage: Stage,
        *,
        quarantine: Quarantine,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._stage = stage
        self._work = Work(stage.name, stage.work, quarantine=quarantine)
        self._crash_point = crash_point
        self._taken: deque[Record] = deque()
        self._made: list[NewRecord] = []
        self._first: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._handled = 0
        self.done = 0
        self.delay_seconds = 0.0
        self._consumer = self._join()

    @property
    def quarantined(self) -> int:
        """Records set aside so far."""
        return self._work.quarantined

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Handle one batch; how many records were handled and are durable, 0 at time-out.

        Where the log is full or busy nothing is lost: the batch is kept for the next step.

        Raises:
            NewerSchemaError: a record was made by a newer version; this stage must stop.
        """
        try:
            if not self._next and not self._take(timeout_seconds):
                return 0
            return self._finish()
        except UnavailableError as error:
            self.delay_seconds = back_off(self.delay_seconds)
            _events.warning(
                "stage waits",
                stage=self._stage.name,
                reason=error.sentence,
                next_try_seconds=self.delay_seconds,
            )
            return 0
        except FencedError:
            _events.info("stage lost its partition", stage=self._stage.name)
            self._begin_again()
            return 0

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set; the batch in hand is finished. Raises as ``step``."""
        while not stop.is_set():
            self.step()
            if self.delay_seconds:
                stop.wait(self.delay_seconds)

    def lag(self) -> int:
        """Records of our partitions that wait: not yet polled, or polled and not yet durable."""
        in_hand = len(self._taken) + self._handled
        try:
            return self._consumer.lag() + in_hand
        except FencedError:  # it has just left the group, to join it anew
            return in_hand

    def close(self) -> None:
        """Leave the consumer group."""
        self._consumer.close()

    def _join(self) -> Consumer:
        stage = self._stage
        return self._log.consumer(stage.group, [stage.topic], on_assign=self._assigned)

    def _take(self, timeout_seconds: float) -> bool:
        records = self._consumer.poll(max_records=BATCH, timeout_seconds=timeout_seconds)
        self._taken.extend(records)
        for record in records:
            reached = max(record.offset + 1, self._next.get(record.partition, 0))
            self._next[record.partition] = reached
            self._first.setdefault(record.partition, record.offset)
        return bool(records)

    def _begin_again(self) -> None:
        """After a partition went: read on with those that stayed, else join anew.

        Who leaves and joins for each partition that goes gets it back at once, and it or another
        goes from its owner, who does the same: a busy group would never come to rest.
        """
        first = self._first
        self._forget()
        try:
            stayed = self._consumer.assignment()
            starts = {one: at for one, at in first.items() if one in stayed}
            starts.update(self._stage.assigned(stayed))
            for partition, offset in starts.items():
                self._consumer.seek(partition, offset)
        except FencedError:
            stayed = frozenset()
        if not stayed:
            self._consumer.close()
            self._consumer = self._join()  # goes on from what was committed, whoever did it

    def _finish(self) -> int:
        self._stage.begun(self._taken)
        while self._taken:
            self._made.extend(self._work.made(self._taken[0]))
            self._taken.popleft()
            self._handled += 1
        self._crash_point(self._stage.crash_name)
        self._log.append(self._made, commit=Commit(group=self._stage.group, offsets=self._next))
        self._crash_point(f"{self._stage.crash_name}-written")
        self._stage.written()
        handled = self._handled
        self.done += handled
        self._forget()
        self.delay_seconds = 0.0
        return handled

    def _forget(self) -> None:
        self._taken.clear()
        self._made = []
        self._first = {}
        self._next = {}
        self._handled = 0

    def _assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        self._forget()
        return self._stage.assigned(partitions)
