"""Which alerts wait, and until when: read from the log with each shard, told of from then on."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ingest.log import Log
from ingest.wire import decode
from search.alert_state import ALERT, TOPIC, Alert
from search.held import LONG_AGO, HeldAlert
from search.ownership import Ownership

Due = tuple[datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was read.

    Attributes:
        due: Alerts that wait.
        held: Alerts that are held, in shards that were ``gained``.
        digests: All of these, whatever became of them, without their payloads.
    """

    gained: set[int]
    due: list[Due] = field(default_factory=list)
    held: list[HeldAlert] = field(default_factory=list)
    digests: list[Alert] = field(default_factory=list)


class Waiting:
    """Waiting alerts by the time their next round is due. The payloads stay in the log.

    ``read`` may run in a thread, ``tell`` in any; everything else belongs to the one event loop.
    """

    def __init__(self, log: Log, shards: Ownership) -> None:
        self._log = log
        self._shards = shards
        self._held: dict[int, int] = {}
        self._told: deque[Sequence[str]] = deque()
        self._left: deque[int] = deque()
        self._unread: set[int] = set()
        self._due: list[Due] = []
        self._known: set[str] = set()
        self._kept: list[Due] | None = None

    def tell(self, alert_ids: Sequence[str]) -> None:
        """These were claimed just now."""
        self._told.append(alert_ids)

    def read(self) -> Found:
        """What has come to wait since the last call: of shards that are new here, all there is.

        Of shards too that were not ours for a moment, when one of their alerts was let go.

        Raises:
            UnavailableError: the log cannot be read now; nothing is lost by it.
        """
        while self._left:
            self._unread.add(self._left.popleft())
        held = dict(self._shards.held())
        gained = {one for one, since in held.items() if self._held.get(one) != since}
        gained |= self._unread & held.keys()
        found = Found(gained=gained)
        if gained:
            for record in self._log.table(TOPIC).items(ALERT):
                shard = record.partition.number
                if shard in gained and record.value is not None:
                    _sort(decode(Alert, record.value), found, shard=shard, since=held[shard])
        self._held = held
        self._unread -= gained
        while self._told:
            found.due.extend((LONG_AGO, one) for one in self._told.popleft())
        return found

    def add(self, found: Sequence[Due]) -> None:
        """Take in what ``read`` gave; what is known already stays as it is."""
        for due in found:
            if due[1] not in self._known:
                self._known.add(due[1])
                heapq.heappush(self._due, due)

    def put_off(self, alert_id: str, due: datetime) -> None:
        """Another round is due then; while rounds are held, not before they are released."""
        if self._kept is None:
            heapq.heappush(self._due, (due, alert_id))
        else:
            self._kept.append((due, alert_id))

    def hold(self) -> None:
        """From now on no alert has a second round."""
        self._kept = []

    def release(self) -> None:
        """Further rounds are due again."""
        kept, self._kept = self._kept or [], None
        for due in kept:
            heapq.heappush(self._due, due)

    def settled(self, alert: Alert) -> None:
        """A round of it is over; where it still waits, another is due in time."""
        if alert.state == "waiting" and alert.next_attempt is not None:
            self.put_off(alert.alert_id, alert.next_attempt)
        else:
            self.done(alert.alert_id)

    def let_go(self, alert_id: str, shard: int) -> None:
        """Its shard is not ours now; it is read anew as soon as that is ours."""
        self._known.discard(alert_id)
        self._left.append(shard)

    def done(self, alert_id: str) -> None:
        """It waits no more."""
        self._known.discard(alert_id)

    def pop_due(self, now: datetime) -> list[str]:
        """The alerts whose round is due, oldest first."""
        found = []
        while self._due and self._due[0][0] <= now:
            found.append(heapq.heappop(self._due)[1])
        return found

    def next_due(self) -> datetime | None:
        """When the next round is due."""
        return self._due[0][0] if self._due else None


def _sort(alert: Alert, found: Found, *, shard: int, since: int) -> None:
    if alert.type == "digest":
        # Without what they say: there are those of months, with a page of text each.
        found.digests.append(replace(alert, payload=""))
    if alert.state == "waiting":
        found.due.append((round_due(alert), alert.alert_id))
    elif alert.state == "held":
        found.held.append(HeldAlert.of(alert, shard=shard, since=since))


def round_due(alert: Alert) -> datetime:
    """When a round of an alert that waits is due; the first at once, whatever became of clocks."""
    return alert.next_attempt if alert.tries and alert.next_attempt else LONG_AGO
