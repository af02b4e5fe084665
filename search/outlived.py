"""Alerts whose stories are long over: cleared away a few at a time, when there is nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from ingest.log import NewRecord, Table
from ingest.wire import decode
from search.alert_state import ALERT, COUNTED, TOPIC, Alert

SWEPT = 500
"""Alerts looked at at a time; some 10 ms."""

SWEEP_EVERY = timedelta(hours=6)


class Outlived:
    """Looks through all alerts now and then. For one thread.

    Args:
        days: For which a claim is kept after its story counted last.
    """

    def __init__(self, *, days: float) -> None:
        self._days = days
        self._sweep: Iterator[list[NewRecord]] = iter(())
        self._begun = datetime.min.replace(tzinfo=UTC)

    def some(self, table: Table, *, now: datetime) -> Iterator[NewRecord]:
        """Tombstones for those among the next few."""
        if now - self._begun > SWEEP_EVERY:
            self._begun = now
            self._sweep = outlived(table, before=now - timedelta(days=self._days))
        for gone in islice(self._sweep, SWEPT):
            yield from gone

    def stop(self) -> None:
        """Look no further this time: the log is left."""
        self._sweep = iter(())


def outlived(table: Table, *, before: datetime) -> Iterator[list[NewRecord]]:
    """Tombstones for each alert that is done and has not counted since ``before``.

    One list, mostly empty, for each alert looked at: the caller decides how many at a time, and
    whether the shard is its own.
    """
    for record in table.items(ALERT):
        if record.appended >= before:
            yield []
            continue
        alert = decode(Alert, record.value or b"")
        counted = table.get(COUNTED + alert.alert_id)
        if alert.state in ("waiting", "held") or (counted and counted.appended >= before):
            yield []
            continue
        keys = (ALERT + alert.alert_id, COUNTED + alert.alert_id)
        shard = record.partition.number
        yield [NewRecord(topic=TOPIC, key=key, value=None, partition=shard) for key in keys]
