"""History for one subscription: what matched before it counted, or while it was paused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from ingest.errors import UsageError
from ingest.log import Log, Table
from ingest.wire import SCHEMA, Time, decode, format_time
from processors.records import StoryRecord
from search.alert_state import TOPIC, Offsets, Since
from search.claims import ALERTING_CAUSES, silence
from search.subscriptions import Subscription

Kind = Literal["backfill", "catch-up"]
KINDS: tuple[Kind, ...] = ("backfill", "catch-up")

MARGIN = timedelta(days=2)
"""Claims are renewed once a day, and a backfill takes a while: so much less than they are kept."""


def check_begin(
    subscription: Subscription, since: datetime, *, now: datetime, claim_days: float
) -> None:
    """Refuse a backfill that could send again what was sent, or that begins nowhere.

    Raises:
        UsageError: it is paused, begins in the future, or nobody knows any more what was sent
            so long ago.
    """
    if subscription.paused:
        raise UsageError(
            f"{subscription.name} is paused",
            hint="End the pause first: wirewatch subscriptions resume NAME",
        )
    if since >= now:
        raise UsageError("a backfill begins in the past", hint="Give --since 24h, say.")
    known_from = now - max(timedelta(days=claim_days) - MARGIN, timedelta(0))
    if since < known_from and subscription.created < known_from:
        raise UsageError(
            f"what was sent before {known_from:%Y-%m-%d %H:%M} UTC is not known any more",
            hint="Begin later, or add another subscription: a new one may go back further.",
            code="backfill-too-far",
        )


SKEW = timedelta(minutes=10)
"""Between the clocks of two brokers: ``seen`` is of one, the place in ``stories`` of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """How far a look back has come: a record of ``alert-state``, written by the shard's owner.

    Attributes:
        kind: ``backfill`` was asked for; ``catch-up`` is what matched during a pause.
        since: Articles seen before do not count; of a catch-up when the pause began.
        offset: The next offset of each partition of ``stories``.
        end: Where it ends; None while the pause lasts.
        total: Places between the first and the end.
        alerts: Made by it.
        rests: The subscription is paused.
        finished: None while it goes on.
        ended: Why it was given up; empty where it came to its end.
    """

    subscription: str
    kind: Kind
    since: Time
    offset: Offsets = field(default_factory=dict)
    end: Offsets | None = None
    total: int = 0
    alerts: int = 0
    rests: bool = False
    finished: Time | None = None
    ended: str = ""
    schema: int = SCHEMA

    @property
    def left(self) -> int:
        """Places that are still to be read; 0 where it is over, or its end is not known yet."""
        if self.finished is not None or self.end is None:
            return 0
        return sum(max(0, end - self.offset.get(part, 0)) for part, end in self.end.items())


def begins_at(since: datetime) -> datetime:
    """Before what is appended to ``stories`` nothing counts that was seen from ``since`` on."""
    return since - SKEW


def counts(one: Backfill, story: StoryRecord) -> bool:
    """Whether ``story`` is of the time, and of the kind, that is asked for.

    Who asks for history gets all of it; of a pause, what would have alerted without it. Only an
    article's last record is sure to be kept, so news of that time counts whatever happened to it.
    """
    seen = story.article.seen
    is_of_time = seen is not None and seen >= one.since
    if one.kind == "backfill":
        return is_of_time
    return not silence(story) or (is_of_time and story.cause in ALERTING_CAUSES)


def asked(
    before: Since | None,
    after: Since,
    known: Backfill | None,
    *,
    begin: Callable[[], Backfill],
) -> Backfill | None:
    """The backfill after a change of its subscription; the one that is known where it goes on."""
    was, now = before.applied if before else None, after.applied
    one = known
    if now.backfill_since and now.backfill_version > (was.backfill_version if was else 0):
        one = begin()
    elif one is not None and was is not None and was.query != now.query:
        return _given_up(one, after)
    if one is None:
        return None
    one = replace(one, rests=now.paused)
    return one if one.left else replace(one, finished=after.active)


def paused(
    before: Since | None,
    after: Since,
    known: Backfill | None,
    *,
    at: Mapping[int, int],
    when: datetime,
) -> Backfill | None:
    """The catching up after a change of its subscription, which is in force from ``at`` on.

    A pause notes where it begins. Its end says where it ends, or that nothing of it counts.
    """
    was, now = before.applied if before else None, after.applied
    is_new_query = was is not None and was.query != now.query
    if now.paused:
        if known is None or is_new_query:
            return Backfill(subscription=now.id, kind="catch-up", since=when, offset=at, rests=True)
        return replace(known, rests=True)
    if known is None or (was is not None and not was.paused and not is_new_query):
        return known
    if before is not None and before.query_version == after.query_version:
        one = replace(known, end=at, rests=False)
        return replace(one, total=one.left) if one.left else None
    if known.end is None:
        return None  # the pause leaves a gap
    return _given_up(known, after) if is_new_query else replace(known, rests=False)


def _given_up(one: Backfill, after: Since) -> Backfill:
    return replace(one, finished=after.active, ended="the query was changed")


def backfill_key(kind: Kind, subscription_id: str) -> str:
    """The key of the record."""
    return f"{kind}:{subscription_id}"


def stored_backfills(table: Table, subscription_id: str = "") -> Iterator[tuple[int, Backfill]]:
    """Those of ``alert-state``, or of one subscription, each with its shard."""
    for kind in KINDS:
        if subscription_id:
            one = table.get(backfill_key(kind, subscription_id))
            records = [one] if one is not None else []
        else:
            records = [*table.items(f"{kind}:")]
        for record in records:
            if record.value is not None:
                yield record.partition.number, decode(Backfill, record.value)


def backfill_lag(log: Log, shards: Collection[int]) -> int:
    """Places that backfills of ``shards`` still have to read, where they may."""
    stored = stored_backfills(log.table(TOPIC))
    return sum(one.left for shard, one in stored if shard in shards and not one.rests)


def backfill_row(one: Backfill) -> dict[str, Any]:
    """As it is shown."""
    return {
        "kind": one.kind,
        "since": format_time(one.since),
        "done": one.finished is not None,
        "progress": round(1 - one.left / one.total, 3) if one.total and one.end else 0.0,
        "alerts": one.alerts,
        "sentence": _sentence(one),
    }


def _sentence(one: Backfill) -> str:
    what = "history" if one.kind == "backfill" else "what was missed in the pause"
    begin = f"{what}, from {one.since:%Y-%m-%d %H:%M} UTC on"
    count = f"{one.alerts:,} alert{'' if one.alerts == 1 else 's'}"
    if one.ended:
        return f"{begin}: given up, {one.ended}; {count}"
    if one.finished is not None:
        return f"{begin}: done, {count}"
    if one.end is None:
        return f"{begin}: sent if the pause ends with --catch-up"
    rests = ", rests while the subscription is paused" if one.rests else ""
    read = 1 - one.left / one.total if one.total else 0
    return f"{begin}: {read:.0%} read, {count} so far{rests}"
