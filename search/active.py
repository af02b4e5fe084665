"""The subscriptions in force, as of a place in ``stories``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
from search.watch_queries import is_watch

_events = structlog.get_logger(__name__)


class Active:
    """What the ``since:`` records of our shards say, ready to be matched. For one thread."""

    def __init__(self, *, partitions: int) -> None:
        self._partitions = partitions
        self._since: dict[str, Since] = {}
        self._queries: dict[str, Query] = {}
        self._engine = StoredQueries()
        self._changed: set[str] = set()  # not in the engine yet: many may come before an article

    def __len__(self) -> int:
        return len(self._queries)

    def add(self, stored: Iterable[Since]) -> None:
        """Take in what was in force in shards that came to us."""
        for one in stored:
            self._since[one.subscription] = one
            self._parse(one.applied)
        self._renew()

    def drop(self, shards: Collection[int]) -> list[str]:
        """Match nothing more for ``shards``; the ids that were theirs."""
        gone = [name for name, one in self._since.items() if self.shard(one.applied) in shards]
        for name in gone:
            del self._since[name]
            self._queries.pop(name, None)
        if gone:
            self._renew()
        return gone

    def subscriptions(self, shards: Collection[int]) -> list[Subscription]:
        """What is in force in ``shards``."""
        return [one.applied for one in self._since.values() if self.shard(one.applied) in shards]

    def shard(self, subscription: Subscription) -> int:
        """The shard of ``subscription`` in this log."""
        return subscription.shard % self._partitions

    def since(self, subscription_id: str) -> Since | None:
        """What is in force of a subscription."""
        return self._since.get(subscription_id)

    def wanted(self, subscription_id: str) -> tuple[Subscription, Query] | None:
        """A subscription that is matched, with its query."""
        query = self._queries.get(subscription_id)
        return (self._since[subscription_id].applied, query) if query is not None else None

    def apply(
        self, record: Record, *, offset: Mapping[int, int], now: datetime
    ) -> NewRecord | None:
        """Put a record of ``subscriptions`` in force from ``offset`` of ``stories`` on.

        The record to be stored with it; None where this version is in force already.
        """
        key, shard = SINCE + record.key, record.partition.number
        if record.value is None:
            gone = self._since.pop(record.key, None)
            self._queries.pop(record.key, None)
            self._changed.add(record.key)
            return NewRecord(topic=TOPIC, key=key, value=None, partition=shard) if gone else None
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
        self._parse(subscription)
        self._changed.add(subscription.id)
        return NewRecord(topic=TOPIC, key=key, value=encode(since), partition=shard)

    def match(
        self, document: Document, record: Record, *, besides: Collection[int] = ()
    ) -> list[tuple[Subscription, Query]]:
        """The subscriptions that ``document``, of ``record``, is news for.

        ``besides`` are shards that have met it before.
        """
        self._catch_up()
        part, offset = record.partition.number, record.offset
        return [
            (self._since[name].applied, self._queries[name])
            for name in self._engine.match(document)
            if self._since[name].offset.get(part, 0) <= offset
            and (not besides or self.shard(self._since[name].applied) not in besides)
        ]

    def _renew(self) -> None:
        self._engine = StoredQueries(self._queries)
        self._changed.clear()

    def _catch_up(self) -> None:
        """Take what changed into the engine: one by one, or all anew where it is much (F47)."""
        if len(self._changed) > COMPACT_AT:
            self._renew()
        for name in self._changed:
            if name in self._queries:
                self._engine.put(name, self._queries[name])
            else:
                self._engine.remove(name)
        self._changed.clear()
        if self._engine.changes > COMPACT_AT:
            self._engine.compact()

    def _parse(self, subscription: Subscription) -> None:
        """Note the query, unless it is paused or this version cannot read it."""
        self._queries.pop(subscription.id, None)
        if subscription.paused or is_watch(subscription.query):
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
