"""A round of an alert: each of its targets is tried once, and each answer is written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from ingest.errors import FencedError, NotFoundError, UnavailableError
from ingest.log import Log, NewRecord, Record
from ingest.wire import decode, encode
from search.alert_state import ALERT, TOPIC, Alert, Endpoint, endpoint_key
from search.channels import Delivery
from search.deliveries import Outcome, answered, concluded, given_up, targets_left
from search.erased_alerts import emptied, speaks_of
from search.last_words import LastWords
from search.ownership import Ownership
from search.subscriptions import Subscription

RETRY_SECONDS = 1.0
"""While the log is away or full: what was acknowledged is not sent again, its outcome waits."""

MAX_KEPT = 500
"""Alerts of open rounds in memory, 10 MB at most: thousands may wait for one receiver."""

REMOVED = "The subscription was removed."

_events = structlog.get_logger(__name__)


@dataclass(slots=True)
class Round:
    """What a round still has to do.

    Attributes:
        alert: As stored; None where so many are open that they are read again when needed.
        shard: Where it is stored.
        since: The generation in which the shard came to us.
        pending: Targets that have not acknowledged.
        left: Of these, the ones not tried yet.
        outcomes: Of those that were.
    """

    alert: Alert | None
    shard: int
    since: int
    pending: tuple[str, ...]
    left: set[str]
    outcomes: list[Outcome] = field(default_factory=list)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What came of beginning rounds, by alert.

    Attributes:
        targets: Of each round that has begun.
        early: When those are due that may not begin yet.
        elsewhere: The shards of those that are not ours to begin.
    """

    targets: dict[str, tuple[str, ...]]
    early: dict[str, datetime]
    elsewhere: dict[str, int]


class Rounds:
    """Alerts under way, and the only writer of their outcomes. For one event loop."""

    def __init__(
        self,
        log: Log,
        *,
        shards: Ownership,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        crash_point: Callable[[str], None],
    ) -> None:
        self._log = log
        self._shards = shards
        self._clock = clock
        self._chance = chance
        self._crash_point = crash_point
        self._open: dict[str, Round] = {}
        self._erased: Collection[str] = frozenset()
        self._words = LastWords(shards)

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self._open

    def wants(self, alert_id: str, target: str) -> bool:
        """Whether a round is under way that has not heard of ``target`` yet."""
        one = self._open.get(alert_id)
        return one is not None and target in one.left

    async def begin(self, alert_ids: Sequence[str], *, again: bool = False) -> Begun:
        """A new round of each alert that waits and is ours.

        ``again``: also of what has failed. Alerts are read together: on Kafka each costs 1 ms.

        Raises:
            UnavailableError: the log cannot be read now.
        """
        records, subscriptions = await asyncio.to_thread(self._read, alert_ids)
        held = self._shards.held()
        begun = Begun(targets={}, early={}, elsewhere={})
        for record in records:
            alert = decode(Alert, record.value or b"")
            since = held.get(record.partition.number)
            wanted = ("waiting", "failed", "muted") if again else ("waiting",)
            if alert.alert_id in self._open or alert.state not in wanted:
                continue
            if since is None:
                begun.elsewhere[alert.alert_id] = record.partition.number
                continue
            if speaks_of(alert, self._erased):  # claimed while its article was being erased
                await self.erase([alert.alert_id], self._erased)
                continue
            if not again and alert.next_attempt and alert.next_attempt > self._clock():
                begun.early[alert.alert_id] = alert.next_attempt
                continue
            one = Round(
                alert=alert, shard=record.partition.number, since=since, pending=(), left=set()
            )
            try:
                targets = await self._begun(one, alert, subscriptions.get(alert.subscription))
            except FencedError:
                begun.elsewhere[alert.alert_id] = one.shard
                continue
            if targets:
                begun.targets[alert.alert_id] = targets
        return begun

    async def _begun(
        self, one: Round, alert: Alert, subscription: Subscription | None
    ) -> tuple[str, ...]:
        if subscription is None:
            await self._write(one, given_up(alert, REMOVED, now=self._clock()))
            return ()
        targets = targets_left(alert, subscription)
        if not targets:
            await self._write(one, replace(alert, pending=(), state="sent", next_attempt=None))
            return ()
        one.pending, one.left = targets, set(targets)
        if len(self._open) >= MAX_KEPT:
            one.alert = None
        self._open[alert.alert_id] = one
        return targets

    async def erase(self, alert_ids: Sequence[str], articles: Collection[str]) -> None:
        """Empty the alerts, those under way too, which end; and any that speaks of ``articles``.

        Raises:
            UnavailableError: the log cannot be read now.
        """
        self._erased = articles
        records, _ = await asyncio.to_thread(self._read, alert_ids) if alert_ids else ((), {})
        held = self._shards.held()
        for record in records:
            alert, number = decode(Alert, record.value or b""), record.partition.number
            one = self._open.get(alert.alert_id)
            if one is None and number in held:
                one = Round(alert=alert, shard=number, since=held[number], pending=(), left=set())
            if one is not None:
                with suppress(FencedError):  # whoever owns the shard now empties it
                    await self._empty(one, alert.alert_id)

    async def _empty(self, one: Round, alert_id: str) -> None:
        async with one.writing:
            stored = one.alert or await self._alert(alert_id)
            alert = emptied(stored, self._erased, now=self._clock())
            one.alert = one.alert and alert
            if not alert.payload and self._open.get(alert_id) is one:
                del self._open[alert_id]
            await self._write(one, alert)

    def abandon(self, alert_id: str) -> int:
        """Forget a round under way; its shard, whose owner begins it anew."""
        return self._open.pop(alert_id).shard

    async def delivery(self, alert_id: str, target: str) -> Delivery:
        """What ``target`` gets of a round that is under way. Raises FencedError: its shard went."""
        alert = await self._alert(alert_id)
        return Delivery(
            alert_id=alert_id,
            subscription=alert.subscription,
            target=target,
            payload=alert.payload,
        )

    def _ours(self, alert_id: str) -> Round:
        """The round, whose shard has been ours since it began; else raises FencedError."""
        one = self._open.get(alert_id)
        if one is None or not self._shards.holds(one.shard, one.since):
            raise FencedError(f"alert {alert_id} is not ours any more")
        return one

    async def _alert(self, alert_id: str) -> Alert:
        """The alert of a round, as soon as the log can be read. Raises FencedError."""
        while (alert := self._ours(alert_id).alert) is None:
            try:
                record = await asyncio.to_thread(self._log.table(TOPIC).get, ALERT + alert_id)
            except UnavailableError as error:
                _events.warning("stage waits", stage="deliver", reason=error.sentence)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if record is None:
                raise NotFoundError(f"alert {alert_id} was removed while it was delivered")
            self._ours(alert_id)
            return decode(Alert, record.value or b"")
        return alert

    async def settle(
        self, alert_id: str, outcome: Outcome, *, endpoint: Endpoint, is_changed: bool
    ) -> Alert | None:
        """Write what came of one target; the alert, where the round is over with it.

        Raises:
            FencedError: the shard went, and with it the round.
        """
        self._crash_point("K7")
        one = self._ours(alert_id)
        async with one.writing:
            stored = await self._alert(alert_id)
            now = self._clock()
            alert = replace(stored, state="waiting", pending=one.pending)
            alert = answered(alert, endpoint.target, outcome, now=now)
            one.pending = alert.pending
            one.outcomes.append(outcome)
            one.left.discard(endpoint.target)
            if not one.left:
                alert = concluded(alert, one.outcomes, now=now, chance=self._chance())
            one.alert = one.alert and alert
            await self._write(one, alert, endpoint if is_changed else None)
        if one.left:
            return None
        if self._open.get(alert_id) is one:
            del self._open[alert_id]
        return alert

    async def note(self, endpoint: Endpoint) -> None:
        """Write how a receiver does, without an alert."""
        await self._append([_health(endpoint)])

    async def _write(self, one: Round, alert: Alert, endpoint: Endpoint | None = None) -> None:
        """Write how it stands. Raises FencedError."""
        key, value = ALERT + alert.alert_id, encode(alert)
        said = NewRecord(topic=TOPIC, key=key, value=value, partition=one.shard)
        records = [said] if endpoint is None else [said, _health(endpoint)]
        self._words.writing([said])
        self._words.written([said], (await self._append(records, one))[:1])

    async def say_again(self) -> None:
        """Write outcomes again that an earlier owner's late word hides.

        Raises:
            UnavailableError: the log cannot be read now.
        """
        if keys := self._words.keys():
            stored = await asyncio.to_thread(self._log.table(TOPIC).many, keys)
            for said in self._words.overtaken(stored):
                _events.info("said again", key=said.key)
                self._words.writing([said])
                self._words.written([said], await self._append([said]))

    async def _append(self, records: list[NewRecord], one: Round | None = None) -> list[int]:
        """The offsets. Raises FencedError where the shard of ``one`` went meanwhile."""
        while one is None or self._shards.holds(one.shard, one.since):
            try:
                return await asyncio.wrap_future(self._log.submit(records))
            except UnavailableError as error:
                _events.warning("outcome waits", reason=error.sentence)
                await asyncio.sleep(RETRY_SECONDS)
        raise FencedError(f"shard {one.shard} is not ours any more")

    def _read(self, alert_ids: Sequence[str]) -> tuple[list[Record], dict[str, Subscription]]:
        found = self._log.table(TOPIC).many([ALERT + one for one in alert_ids])
        records = [found[ALERT + one] for one in alert_ids if ALERT + one in found]
        names = {decode(Alert, record.value or b"").subscription for record in records}
        subscriptions = self._log.table("subscriptions").many(names)
        return records, {
            name: decode(Subscription, record.value or b"")
            for name, record in subscriptions.items()
        }


def report(alert: Alert, outcome: Outcome) -> None:
    """One line in the log about a round that is over; ``outcome`` is its last."""
    if alert.state == "sent":
        _events.info("alert sent", alert=alert.alert_id, name=alert.subscription_name)
        return
    _events.warning(
        "alert not delivered",
        alert=alert.alert_id,
        name=alert.subscription_name,
        state=alert.state,
        reason=outcome.error,
        next_try=str(alert.next_attempt or "never"),
    )


def _health(endpoint: Endpoint) -> NewRecord:
    return NewRecord(topic=TOPIC, key=endpoint_key(endpoint.target), value=encode(endpoint))
