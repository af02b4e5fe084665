"""The records of an agent: as Faust gives them, and how many of them wait in the log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import faust
import structlog

from ingest.kafka_errors import older
from ingest.kafka_names import Names
from ingest.log import Log, Partition, Record

_events = structlog.get_logger(__name__)


def record_of(event: Any, names: Names) -> Record:
    """What Faust gave, as the record that the Log would have given."""
    message = event.message
    return Record(
        partition=Partition(names.own_topic(message.topic), message.partition),
        offset=message.offset,
        key=(message.key or b"").decode(errors="replace"),
        value=message.value,
        appended=datetime.fromtimestamp(message.timestamp, UTC),
    )


class Waiting:
    """The records of ``topic`` that wait for this worker, as the log knows them.

    A worker without a partition, which may be a standby or may be unable to join, counts those of
    all while nobody gets them done.

    Attributes:
        assigned: Faust's signal of a new assignment.
    """

    def __init__(self, log: Log, app: faust.App, names: Names, *, group: str, topic: str) -> None:
        self._log = log
        self._names = names
        self._group = group
        self._topic = topic
        self._known: dict[Partition, int] = {}
        self._all = [Partition(topic, number) for number in range(log.partitions(topic))]
        self._mine: list[Partition] = []
        self._done = -1
        self.assigned = app.on_partitions_assigned
        self.assigned.connect(self._take)

    def count(self) -> int:
        """How many are not committed.

        Raises:
            ForeignStoreError: a partition ends before what was already done.
            UnavailableError: the log does not answer.
        """
        behind = sum(map(self._behind, self._mine or self._all))
        before, self._done = self._done, sum(self._known.values())
        return behind if self._mine or self._done == before else 0

    async def _take(self, _app: Any, /, *sent: Any, signal: Any, **_: Any) -> None:
        """Faust's signal of a new assignment; it carries the partitions first."""
        del signal
        self._mine = sorted(Partition(self._topic, place.partition) for place in sent[0])
        numbers = " ".join(str(one.number) for one in self._mine) or "none"
        _events.info("partitions assigned", stage=self._group, partitions=numbers)

    def _behind(self, partition: Partition) -> int:
        known = self._known.get(partition, 0)  # Kafka forgets the place in a topic made anew
        committed = max(known, self._log.committed(self._group, partition) or 0)
        self._known[partition] = committed
        begin, end = self._log.bounds(partition)
        if committed > end:
            place = self._names.place(partition)
            raise older(self._group, place, wanted=committed, found=end)
        return end - max(begin, committed)
