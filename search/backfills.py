"""The owner's part of looking back: history matched with one subscription, in small steps.

Claims decide as for live news, so what was sent stays sent, whatever is read again after a crash.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from operator import itemgetter

from ingest.log import Log, NewRecord, Partition, Record
from ingest.wire import decode, encode
from processors.document import Document, document
from processors.erasures import Erasures
from processors.query_tree import Query
from processors.records import StoryRecord
from processors.reference import matches
from search.active import Active
from search.alert_state import ALERT, TOPIC, Since
from search.backfill import (
    KINDS,
    Backfill,
    asked,
    backfill_key,
    begins_at,
    counts,
    paused,
    stored_backfills,
)
from search.claims import Claims
from search.matching import Matched, Matching
from search.merges import Merges
from search.outbox import Outbox
from search.subscriptions import Subscription
from search.timeline import STORIES

STEP_SECONDS = 0.05
"""Of one step: so much later a live article is met at worst."""

BATCH = 200
"""Records of a partition read at a time."""

Wanted = tuple[Subscription, Query]
Guarded = Callable[[Record, Callable[[], list[NewRecord]]], list[NewRecord] | None]


class Backfills:
    """What our shards still have to look back at. For one thread.

    Args:
        guarded: Sets a record aside that cannot be worked with.
    """

    def __init__(
        self,
        log: Log,
        *,
        active: Active,
        matching: Matching,
        claims: Claims,
        merges: Merges,
        erasures: Erasures,
        outbox: Outbox,
        guarded: Guarded,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._active = active
        self._matching = matching
        self._claims = claims
        self._merges = merges
        self._erasures = erasures
        self._outbox = outbox
        self._guarded = guarded
        self._clock = clock
        self._known: dict[str, tuple[int, Backfill]] = {}

    def add(self, shards: Collection[int]) -> None:
        """Take in those of ``shards`` that are not over."""
        for shard, one in stored_backfills(self._log.table(TOPIC)):
            if shard in shards and one.finished is None:
                self._known[backfill_key(one.kind, one.subscription)] = shard, one

    def drop(self, shards: Collection[int]) -> None:
        """Forget those of ``shards``."""
        self._known = {key: one for key, one in self._known.items() if one[0] not in shards}

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to read."""
        return any(one.left and not one.rests for _, one in self._known.values())

    def applied(self, before: Since | None, record: Record, *, at: Mapping[int, int]) -> None:
        """Begin, go on or give up, as the record of ``subscriptions`` just applied asks.

        ``at`` is the place in ``stories`` from which it is in force.
        """
        after = self._active.since(record.key)
        for kind in KINDS:
            key = backfill_key(kind, record.key)
            _, known = self._known.get(key, (0, None))
            if after is None:
                changed = None
            elif kind == "catch-up":
                changed = paused(before, after, known, at=at, when=record.appended)
            else:
                changed = asked(before, after, known, begin=partial(self._begin, after, end=at))
            if changed != known:
                self._keep(key, changed, record.partition.number)

    def _begin(self, after: Since, *, end: Mapping[int, int]) -> Backfill:
        since = after.applied.backfill_since or after.active
        offset = {
            part: min(self._log.offset_at(Partition(STORIES, part), begins_at(since)), place)
            for part, place in end.items()
        }
        return Backfill(
            subscription=after.subscription,
            kind="backfill",
            since=since,
            offset=offset,
            end=end,
            total=sum(end.values()) - sum(offset.values()),
        )

    def step(self) -> None:
        """Read on for a moment, where there is something; what it leads to is durable then.

        Raises:
            NewerSchemaError, UnavailableError, FencedError: as ``Claiming.handle``.
        """
        due = [key for key, (_, one) in self._known.items() if one.left and not one.rests]
        if not due:
            return
        self._claims.begin()
        self._merges.read()
        self._erasures.read()
        shard, one = self._known.pop(due[0])  # back in last: each has its turn
        wanted = self._active.wanted(one.subscription)
        if wanted is None:
            one = replace(one, finished=self._clock(), ended="the query cannot be read")
        else:
            one = self._read_on(one, wanted)
        self._keep(due[0], one, shard)
        self._outbox.append()

    def _read_on(self, one: Backfill, wanted: Wanted) -> Backfill:
        until = time.monotonic() + STEP_SECONDS
        places, made = dict(one.offset), 0
        records, read_out = self._ahead(one)
        for record in records:
            made += self._claimed(one, record, wanted)
            places[record.partition.number] = record.offset + 1
            if time.monotonic() > until:
                break
        else:
            places |= read_out
        one = replace(one, offset=places, alerts=one.alerts + made)
        return one if one.left else replace(one, finished=self._clock())

    def _ahead(self, one: Backfill) -> tuple[list[Record], Mapping[int, int]]:
        """The next records, oldest first, and the ends of partitions that have no more.

        A partition that was read further than another is known waits for it.
        """
        lanes: dict[int, list[tuple[datetime, Record]]] = {}
        ends: dict[int, int] = {}
        until = datetime.max.replace(tzinfo=UTC)
        for part, end in (one.end or {}).items():
            if (at := one.offset.get(part, 0)) >= end:
                continue
            records = self._log.read(Partition(STORIES, part), at, max_records=BATCH)
            # The clock of a broker may go back; the order within a partition stays.
            times = accumulate((record.appended for record in records), max)
            lanes[part] = [*zip(times, records, strict=True)]
            if records and records[-1].offset + 1 < end:
                until = min(until, lanes[part][-1][0])
            else:
                ends[part] = end
                lanes[part] = [timed for timed in lanes[part] if timed[1].offset < end]
        found = [timed for lane in lanes.values() for timed in lane if timed[0] <= until]
        found.sort(key=itemgetter(0))
        left = {part for part, lane in lanes.items() if lane and lane[-1][0] > until}
        read_out = {part: end for part, end in ends.items() if part not in left}
        return [record for _, record in found], read_out

    def _claimed(self, one: Backfill, record: Record, wanted: Wanted) -> int:
        made = self._guarded(record, partial(self._made, one, record, wanted)) or []
        for claim in made:
            self._outbox.add(claim)
        return sum(claim.key.startswith(ALERT) for claim in made)

    def _made(self, one: Backfill, record: Record, wanted: Wanted) -> list[NewRecord]:
        subscription, query = wanted
        if not self._found(one, record, query):
            return []
        latest = self._log.table(STORIES).get(record.key)  # what was taken back alerts nobody
        found = self._found(one, latest, query) if latest is not None else None
        if found is None:
            return []
        story, seen = found
        matched = Matched(story=story, document=seen, subscriptions=[(subscription, query)])
        return [*self._matching.claims(matched)]

    def _found(
        self, one: Backfill, record: Record, query: Query
    ) -> tuple[StoryRecord, Document] | None:
        if record.value is None or record.key in self._erasures:
            return None
        story = decode(StoryRecord, record.value)
        if not counts(one, story):
            return None
        seen = document(story.article, story.topics)
        return (story, seen) if matches(query, seen) else None

    def _keep(self, key: str, one: Backfill | None, shard: int) -> None:
        self._known.pop(key, None)
        if one is not None and one.finished is None:
            self._known[key] = shard, one
        value = encode(one) if one is not None else None
        self._outbox.add(NewRecord(topic=TOPIC, key=key, value=value, partition=shard))
