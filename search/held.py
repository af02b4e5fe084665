"""The alerts that are held, by subscription: those that come due together go together."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from search.alert_state import Alert
from search.timing import Hold, Timing

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlert:
    """What is kept in memory of an alert that is held; the rest stays in the log."""

    alert_id: str
    subscription: str
    shard: int
    since: int
    created: datetime
    hold: Hold

    @classmethod
    def of(cls, alert: Alert, *, shard: int, since: int) -> HeldAlert:
        """What is kept of ``alert``, in a ``shard`` that is ours ``since`` a generation."""
        return cls(
            alert_id=alert.alert_id,
            subscription=alert.subscription,
            shard=shard,
            since=since,
            created=alert.created,
            hold=Hold(why=alert.held_for, until=alert.next_attempt or LONG_AGO),
        )


@dataclass(slots=True)
class _Group:
    alerts: dict[str, HeldAlert] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    """By alert, as the subscription had it when it was looked at last."""
    look: datetime | None = None
    """The next look at it that counts."""


class Held:
    """Which alerts are held, and when to look at whose. For one thread."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._looks: list[tuple[datetime, str]] = []
        self._digests: dict[str, str] = {}

    def add(self, found: Iterable[HeldAlert]) -> None:
        """Take these in, and have a look at them; what is in a digest already is not held."""
        for one in found:
            if one.alert_id not in self._digests:
                group = self._groups.setdefault(one.subscription, _Group())
                group.alerts[one.alert_id] = one
                self._look_at(one.subscription, LONG_AGO)

    def bind(self, digest_id: str, members: Iterable[str]) -> None:
        """``members`` go with a digest: nothing else brings them."""
        for one in members:
            self._digests[one] = digest_id

    def unbind(self, members: Iterable[str]) -> None:
        """Their digest is over, and they are marked."""
        for one in members:
            self._digests.pop(one, None)

    def digest_of(self, alert_id: str) -> str:
        """The digest under way that brings an alert; empty where none does."""
        return self._digests.get(alert_id, "")

    def remove(self, alert_ids: Collection[str], *, subscription: str) -> set[str]:
        """Hold these no longer; the ids of those that were held."""
        group = self._groups.get(subscription, _Group())
        found = set(alert_ids) & group.alerts.keys()
        for one in found:
            del group.alerts[one]
            group.due.pop(one, None)
        if not group.alerts:
            self._groups.pop(subscription, None)
        return found

    def forget(self, shards: Collection[int]) -> None:
        """These are read anew, or are another's."""
        for name, group in list(self._groups.items()):
            gone = [key for key, one in group.alerts.items() if one.shard in shards]
            self.remove(gone, subscription=name)

    def look_again(self, subscription: str) -> None:
        """It was edited, or the clock was put back: what it holds may be due earlier or later."""
        if subscription in self._groups:
            self._groups[subscription].due.clear()
            self._look_at(subscription, LONG_AGO)

    def put_off(self, subscription: str, at: datetime) -> None:
        """Look at it then, or as soon as something of it changes."""
        if group := self._groups.get(subscription):
            group.look = at
            heapq.heappush(self._looks, (at, subscription))

    def look_at_all(self) -> None:
        """As ``look_again``, for each subscription."""
        for name in list(self._groups):
            self.look_again(name)

    def pop_looks(self, now: datetime, *, count: int) -> list[str]:
        """Some subscriptions of which something may be due."""
        found: list[str] = []
        while self._looks and self._looks[0][0] <= now and len(found) < count:
            at, name = heapq.heappop(self._looks)
            group = self._groups.get(name)
            if group is not None and group.look == at:  # else it was looked at earlier
                group.look = None
                found.append(name)
        return found

    def next_look(self) -> datetime | None:
        """When something may be due."""
        return self._looks[0][0] if self._looks else None

    def take(self, subscription: str, timing: Timing | None, *, now: datetime) -> list[HeldAlert]:
        """What is due, oldest first, no longer held; all of it where there is no ``timing``."""
        group = self._groups.get(subscription, _Group())
        ripe = []
        for one in sorted(group.alerts.values(), key=lambda one: (one.created, one.alert_id)):
            if one.alert_id not in group.due:
                group.due[one.alert_id] = (
                    timing.due(one.hold, created=one.created, now=now) if timing else LONG_AGO
                )
            if group.due[one.alert_id] <= now:
                ripe.append(one)
        self.remove([one.alert_id for one in ripe], subscription=subscription)
        if group.due:
            self._look_at(subscription, min(group.due.values()))
        return ripe

    def _look_at(self, subscription: str, at: datetime) -> None:
        group = self._groups[subscription]
        if group.look is None or at < group.look:
            group.look = at
            heapq.heappush(self._looks, (at, subscription))
