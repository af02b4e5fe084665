"""The loop of the lists: alerts and feeds in, documents for people and Kibana out.

Its place is the group's offset, committed once what came before it is written; the group belongs
to the very indices it writes (``search.elastic_lists``), so that new ones are filled from the
beginning of the log. A document is made from the last record of its key and carries a version
that only grows: a batch that is written twice, or by two members at once, changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog

from ingest.errors import FencedError, ForeignStoreError, NewerSchemaError, UnavailableError
from ingest.feeds import Feed, FeedState
from ingest.log import Commit, Consumer, Log, NewRecord, Partition, Record
from ingest.quarantine import Quarantine
from ingest.wire import decode
from processors.back_off import back_off
from search.alert_state import ALERT, TOPIC, Alert
from search.elastic_operation import Operation
from search.projected_documents import (
    alert_document,
    alert_version,
    feed_document,
    feed_version,
)

TOPICS = (TOPIC, "feeds", "feed-state")

BATCH = 500
"""Records taken at a time; what changed twice in it is written once."""

_events = structlog.get_logger(__name__)


class Sink(Protocol):
    """Where documents go: ``search.elastic_bulk.Bulk``."""

    def write(self, operations: Sequence[Operation]) -> Mapping[str, str]:
        """Write all; the reasons of those that were refused, by id.

        Raises:
            UnavailableError: not all was taken; the same call may succeed later.
            ForeignStoreError: an index is not there.
        """


class Projector:
    """Writes ``alert-state``, ``feeds`` and ``feed-state`` into two indices. For one thread.

    Attributes:
        done: Records handled durably since the start.
        written: Documents written or deleted since the start.
        delay_seconds: How long to wait before the next step; 0 while all is well.
    """

    def __init__(
        self,
        log: Log,
        sink: Sink,
        *,
        prepare: Callable[[], str],
        prefix: str,
        quarantine: Quarantine,
    ) -> None:
        """``prepare`` makes the indices and names their group: ``search.elastic_lists``."""
        self._log = log
        self._sink = sink
        self._names = {name: f"{prefix}-{name}" for name in ("alerts", "feeds")}
        self._quarantine = quarantine
        self._prepare = prepare
        self._group = ""
        self._consumer: Consumer | None = None
        self._waiting: list[Record] = []
        self.done = 0
        self.written = 0
        self.delay_seconds = 0.0

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Project one batch; how many records were handled and are written, 0 at time-out.

        Where a store is full or away nothing is lost: the batch is kept for the next step.

        Raises:
            NewerSchemaError: a record was made by a newer version; this stage must stop.
            StoreError: log or index refuse for good; this stage must stop.
        """
        try:
            if not self._waiting:
                self._waiting = self._polled(timeout_seconds)
            handled = self._finish() if self._waiting else 0
        except UnavailableError as error:
            self.delay_seconds = back_off(self.delay_seconds)
            _events.warning(
                "lists wait", reason=error.sentence, next_try_seconds=self.delay_seconds
            )
            return 0
        except FencedError:
            _events.info("lists lost their partition")
            self.close()
            return 0
        self.delay_seconds = 0.0
        self.done += handled
        return handled

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set; the batch in hand is finished. Raises as ``step``."""
        while not stop.is_set():
            self.step()
            if self.delay_seconds:
                stop.wait(self.delay_seconds)
        self.close()

    def lag(self) -> int:
        """Records of our partitions that are not written yet."""
        consumer = self._consumer
        return len(self._waiting) + (consumer.lag() if consumer else 0)

    def close(self) -> None:
        """Leave the consumer group; the next step joins it again."""
        consumer, self._consumer = self._consumer, None
        self._waiting = []
        if consumer is not None:
            consumer.close()

    def _polled(self, timeout_seconds: float) -> list[Record]:
        if self._consumer is None:
            self._group = self._prepare()
            self._consumer = self._log.consumer(self._group, TOPICS)
        return self._consumer.poll(max_records=BATCH, timeout_seconds=timeout_seconds)

    def _finish(self) -> int:
        aside: list[NewRecord] = []
        operations = []
        for record, work in self._work():
            try:
                operations.append(work())
            except (NewerSchemaError, UnavailableError):
                raise
            except Exception as error:  # noqa: BLE001 - one record must not stop the stage (P4)
                aside += self._set_aside(record, f"This cannot be shown in lists: {error}")
        refused = self._written(operations)
        last = {one.key.removeprefix(ALERT): one for one in self._waiting}
        for name, reason in refused.items():
            aside += self._set_aside(last[name], f"The index refused this document: {reason}")
        self._log.append(aside, commit=Commit(group=self._group, offsets=_ends(self._waiting)))
        self.written += len(operations) - len(refused)
        handled = len(self._waiting)
        self._waiting = []
        return handled

    def _written(self, operations: Sequence[Operation]) -> Mapping[str, str]:
        try:
            return self._sink.write(operations)
        except ForeignStoreError as error:
            self.close()  # the next step makes the list anew: it holds nothing of its own
            raise UnavailableError(
                str(error), sentence="A list of alerts or feeds is gone; it is made anew."
            ) from error

    def _work(self) -> Iterator[tuple[Record, Callable[[], Operation]]]:
        """What each key that changed calls for, with the record that says so."""
        changed = {(one.partition.topic == TOPIC, one.key): one for one in self._waiting}
        alerts = [one for (is_alert, _), one in changed.items() if is_alert]
        listed = {key: one for (is_alert, key), one in changed.items() if not is_alert}
        for record in alerts:
            if record.key.startswith(ALERT):
                yield record, partial(self._alert, record)
        feeds = self._log.table("feeds").many(listed)
        states = self._log.table("feed-state").many(listed)
        for key, record in feeds.items():
            yield listed[key], partial(self._feed, record, states.get(key))
        for record in self._waiting:
            if record.partition.topic == "feeds" and record.value is None:
                yield record, partial(self._removed, record)

    def _alert(self, record: Record) -> Operation:
        alert = decode(Alert, record.value) if record.value is not None else None
        return Operation(
            index=self._names["alerts"],
            id=record.key.removeprefix(ALERT),
            version=alert_version(record.offset),
            body=alert_document(alert) if alert else None,
        )

    def _feed(self, record: Record, known: Record | None) -> Operation:
        state = decode(FeedState, known.value or b"") if known else None
        latest = known or record
        return Operation(
            index=self._names["feeds"],
            id=record.key,
            version=feed_version(record.offset, known.offset if known else None),
            body=feed_document(decode(Feed, record.value or b""), state, now=latest.appended),
        )

    def _removed(self, record: Record) -> Operation:
        # Where the feed was added again since, that document is newer than this.
        version = feed_version(record.offset, None)
        return Operation(index=self._names["feeds"], id=record.key, version=version, body=None)

    def _set_aside(self, record: Record, why: str) -> list[NewRecord]:
        _events.error("record set aside", stage="project", key=record.key, reason=why)
        row = self._quarantine.put(
            "project",
            why=why,
            code="malformed-record",
            key=record.key,
            body=record.value or b"",
            now=record.appended,
            topic="",  # never appended again: the state of others would go back to this record
        )
        return [row] if row else []


def _ends(records: Sequence[Record]) -> dict[Partition, int]:
    """The next offset of every partition that the records are of."""
    ends: dict[Partition, int] = {}
    for record in records:
        ends[record.partition] = max(record.offset + 1, ends.get(record.partition, 0))
    return ends
