"""A round of an alert: each of its targets is tried once, and each answer is written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from ingest.errors import FencedError, NotFoundError, UnavailableError
from ingest.log import Log, NewRecord, Record
from ingest.wire import decode, encode
from search.alert_state import ALERT, TOPIC, Alert, Endpoint, endpoint_key
from search.audit import audit_record
from search.channels import Delivery
from search.deliveries import REMOVED, Outcome, answered, concluded, given_up, muted, targets_left
from search.erased_alerts import speaks_of
from search.held import HeldAlert
from search.notices import notice
from search.outcomes import RETRY_SECONDS, Outcomes, alert_record
from search.ownership import Ownership
from search.subscriptions import Subscription
from search.waiting import round_due

MAX_KEPT = 500
"""Alerts of open rounds in memory, 10 MB at most: thousands may wait for one receiver."""

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
        held: Those that are held.
        over: Digests that failed, or have nowhere to go, before they began.
    """

    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    early: dict[str, datetime] = field(default_factory=dict)
    elsewhere: dict[str, int] = field(default_factory=dict)
    held: list[HeldAlert] = field(default_factory=list)
    over: list[Alert] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Some alerts, as the log has them, with what decides whether they go."""

    records: list[Record]
    subscriptions: dict[str, Subscription]
    muted: set[str]


class Rounds:
    """Alerts under way, and the only writer of their outcomes. For one event loop."""

    def __init__(
        self,
        log: Log,
        outcomes: Outcomes,
        *,
        shards: Ownership,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        crash_point: Callable[[str], None],
    ) -> None:
        self._log = log
        self._outcomes = outcomes
        self._shards = shards
        self._clock = clock
        self._chance = chance
        self._crash_point = crash_point
        self._open: dict[str, Round] = {}

    def __contains__(self, alert_id: object) -> bool:
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
        known = await asyncio.to_thread(self._read, alert_ids)
        held = self._shards.held()
        begun = Begun()
        for record in known.records:
            alert = decode(Alert, record.value or b"")
            shard = record.partition.number
            since = held.get(shard)
            wanted = ("waiting", "failed", "muted") if again else ("waiting", "held")
            if alert.alert_id in self._open or alert.state not in wanted:
                continue
            if since is None:
                begun.elsewhere[alert.alert_id] = shard
            elif speaks_of(alert, self._outcomes.erased):  # claimed while it was being erased
                with suppress(FencedError):  # then its owner empties it
                    await self._outcomes.write([alert_record(alert, shard)], since=held)
                begun.early[alert.alert_id] = self._clock()
            elif alert.state == "held":
                begun.held.append(HeldAlert.of(alert, shard=shard, since=since))
            elif not again and (due := round_due(alert)) > self._clock():
                begun.early[alert.alert_id] = due
            else:
                one = Round(alert=alert, shard=shard, since=since, pending=(), left=set())
                try:
                    await self._begun(one, alert, known, begun=begun, again=again)
                except FencedError:
                    begun.elsewhere[alert.alert_id] = shard
        return begun

    async def _begun(
        self, one: Round, alert: Alert, known: _Known, *, begun: Begun, again: bool
    ) -> None:
        over: Alert | None = None
        subscription = known.subscriptions.get(alert.subscription)
        targets = targets_left(alert, subscription) if subscription else ()
        if subscription is None:
            over = given_up(alert, REMOVED, now=self._clock())
        elif alert.alert_id in known.muted and not again:
            over = muted(alert)
        elif not targets:
            over = replace(alert, pending=(), state="sent", next_attempt=None)
        if over is not None:
            await self._write(one, over)
            begun.over.extend([over] if over.members else [])
            return
        one.pending, one.left = targets, set(targets)
        if len(self._open) >= MAX_KEPT:
            one.alert = None
        self._open[alert.alert_id] = one
        begun.targets[alert.alert_id] = targets

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
        self,
        alert_id: str,
        outcome: Outcome,
        *,
        endpoint: Endpoint,
        is_changed: bool,
        is_given_up: bool = False,
    ) -> Alert | None:
        """Write what came of one target; the alert, where the round is over with it.

        ``is_given_up``: the receiver just was, and a notice of it is written too.

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
            more = [_health(endpoint)] if is_changed else []
            if not outcome.error:
                more.append(audit_record(alert, endpoint.target, outcome, now=now))
            given_up = [notice(alert, endpoint, now=now)] if is_given_up else []
            said = [alert_record(each, one.shard) for each in (alert, *given_up)]
            await self._outcomes.write(said, since={one.shard: one.since}, besides=more)
        if one.left:
            return None
        if self._open.get(alert_id) is one:
            del self._open[alert_id]
        return alert

    async def note(self, endpoint: Endpoint) -> None:
        """Write how a receiver does, without an alert."""
        while True:
            try:
                await self._outcomes.append([_health(endpoint)])
            except UnavailableError as error:
                _events.warning("outcome waits", reason=error.sentence)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _write(self, one: Round, alert: Alert) -> None:
        """Write how it stands. Raises FencedError."""
        said = alert_record(alert, one.shard)
        await self._outcomes.write([said], since={one.shard: one.since})

    def _read(self, alert_ids: Sequence[str]) -> _Known:
        found = self._log.table(TOPIC).many([ALERT + one for one in alert_ids])
        records = [found[ALERT + one] for one in alert_ids if ALERT + one in found]
        alerts = [decode(Alert, record.value or b"") for record in records]
        names = {one.subscription for one in alerts}
        subscriptions = self._log.table("subscriptions").many(names)
        return _Known(
            records=records,
            subscriptions={
                name: decode(Subscription, record.value or b"")
                for name, record in subscriptions.items()
            },
            muted=self._outcomes.muted(alerts),
        )


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
