"""The subscriptions in force, as of a place in ``stories``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog

from ingest.errors import QueryError
from ingest.log import NewRecord, Record
from ingest.wire import decode, encode
from processors.document import Document
from processors.query import parse
from processors.query_tree import Query
from processors.stored_queries import COMPACT_AT, StoredQueries
from search.alert_state import SINCE, TOPIC, Since
from search.subscriptions import Subscription

_events = structlog.get_logger(__name__)


class Active:
    """What ``since:`` records say, ready to be matched. For one thread."""

    def __init__(self, stored: Iterable[Since]) -> None:
        self._since = {one.subscription: one for one in stored}
        self._queries: dict[str, Query] = {}
        for one in self._since.values():
            self._parse(one.applied)
        self._engine = StoredQueries(self._queries)

    def __len__(self) -> int:
        return len(self._engine)

    def apply(self, record: Record, *, offset: int, now: datetime) -> NewRecord | None:
        """Put a record of ``subscriptions`` in force from ``offset`` of ``stories`` on.

        The record to be stored with it; None where this version is in force already.
        """
        key = SINCE + record.key
        if record.value is None:
            gone = self._since.pop(record.key, None)
            self._queries.pop(record.key, None)
            self._engine.remove(record.key)
            return NewRecord(topic=TOPIC, key=key, value=None) if gone else None
        subscription = decode(Subscription, record.value)
        before = self._since.get(record.key)
        if before is not None and before.applied.version >= subscription.version:
            return None
        if before is None or before.query_version != subscription.query_version:
            since = Since(
                subscription=subscription.id,
                query_version=subscription.query_version,
                offset=offset,
                active=now,
                applied=subscription,
            )
        else:
            since = _with(before, subscription)
        self._since[record.key] = since
        self._put(subscription)
        return NewRecord(topic=TOPIC, key=key, value=encode(since))

    def match(self, document: Document, *, offset: int) -> list[tuple[Subscription, Query]]:
        """The subscriptions that ``document``, at ``offset`` of ``stories``, is news for."""
        return [
            (self._since[name].applied, self._queries[name])
            for name in self._engine.match(document)
            if self._since[name].offset <= offset
        ]

    def _put(self, subscription: Subscription) -> None:
        self._parse(subscription)
        if subscription.id in self._queries:
            self._engine.put(subscription.id, self._queries[subscription.id])
        else:
            self._engine.remove(subscription.id)
        if self._engine.changes > COMPACT_AT:
            self._engine.compact()

    def _parse(self, subscription: Subscription) -> None:
        """Note the query, unless it is paused or this version cannot read it."""
        self._queries.pop(subscription.id, None)
        if subscription.paused:
            return
        try:
            self._queries[subscription.id] = parse(subscription.query, where="subscription")
        except QueryError as error:
            # It was accepted by another version; its owner sees it in the log and by `explain`.
            _events.error(
                "subscription cannot be read",
                subscription=subscription.id,
                name=subscription.name,
                reason=error.sentence,
            )


def _with(before: Since, subscription: Subscription) -> Since:
    return Since(
        subscription=before.subscription,
        query_version=before.query_version,
        offset=before.offset,
        active=before.active,
        applied=subscription,
    )
