"""The loop that alerts: stories and changed subscriptions in, claims out.

Claims, what is in force and the cursor are written in this order, the embedded log takes them
whole. Whoever delivers is told then. Where several processes alert, each does so for its shards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

import structlog

from ingest.errors import FencedError, UnavailableError
from ingest.log import Log, Partition
from ingest.quarantine import Quarantine
from ingest.wire import decode
from processors.erasures import Erasures
from search.active import Active
from search.alert_settings import AlertSettings
from search.alert_state import MUTE, SINCE, TOPIC, Since
from search.backfill import backfill_lag
from search.backfills import Backfills
from search.claiming import Claiming
from search.claims import Claims, recent
from search.cursors import Cursors, alert_lag, stored_cursors
from search.matching import Matching
from search.merges import Merges
from search.mutes import Mutes
from search.outbox import Outbox
from search.outlived import Outlived
from search.ownership import Ownership, Whole
from search.pace import Pace
from search.timeline import BATCH, STORIES, SUBSCRIPTIONS, Timeline
from search.timing import Throttle

__all__ = ["AlertOwner", "AlertSettings"]

CURSORS_PER_SECOND = 20
"""A shard that has nothing to write stores how far it has come when there is time, or at this
rate over all: after a crash it reads a little again."""

DELAY_SECONDS = 1.0
NOTHING_OWNED_SECONDS = 0.1

_events = structlog.get_logger(__name__)


Changed = Callable[[str, Collection[str]], None]
"""Is told that a subscription was applied, or that stories of some ids are muted for it."""


class AlertOwner:
    """Matches every story with the subscriptions of our shards and claims alerts. For one thread.

    ``wake`` is called with the ids of alerts once their claims are durable, ``changed`` with a
    subscription where what waits for it may have to be looked at again. Each article meets the
    subscriptions as they were when it was appended, also where both waited for this loop to start.
    """

    def __init__(
        self,
        log: Log,
        *,
        settings: AlertSettings,
        quarantine: Quarantine,
        shards: Ownership | None = None,
        wake: Callable[[Sequence[str]], None] = lambda _: None,
        changed: Changed = lambda _, __: None,
        crash_point: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._settings = settings
        self._quarantine = quarantine
        self._shards = shards or Whole()
        self._wake = wake
        self._changed = changed
        self._pace = Pace(storm=Throttle.parse(settings.storm) if settings.storm else None)
        self._mutes = Mutes(clock=clock)
        self._crash_point = crash_point
        self._clock = clock
        self._timeline: Timeline | None = None
        self._doubtful: set[str] = set()
        self._applied: set[str] = set()  # subscriptions, until who delivers was told
        self.done = 0
        self._outlived = Outlived(days=settings.claim_days)

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set; the batch in hand is finished. Raises as ``step``."""
        try:
            while not stop.is_set():
                try:
                    self.step()
                    if not self._outbox.held:
                        stop.wait(NOTHING_OWNED_SECONDS)
                except (UnavailableError, FencedError) as error:
                    # What is in memory is ahead of the log: forget it, begin at the cursor.
                    _events.warning("stage waits", stage="alert", reason=error.sentence)
                    self.close()
                    stop.wait(DELAY_SECONDS)
        finally:
            self.close()

    def hurry(self, *, on: bool) -> None:
        """Hold no alert while ``on``: ``run --once`` knows no digests, quiet hours and limits."""
        self._pace.is_hurried = on

    def mute(self, subscription_id: str, story_id: str) -> None:
        """Send a subscription nothing more of a story, or of what it is merged with.

        Nor what waits or is held of it. From any thread; done with the owner's next step.
        """
        self._mutes.wish(subscription_id, story_id, is_muted=True)

    def unmute(self, subscription_id: str, story_id: str) -> None:
        """Take ``mute`` back for what comes from now on."""
        self._mutes.wish(subscription_id, story_id, is_muted=False)

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Handle one batch; how many records were handled and are durable, 0 at time-out.

        Raises:
            NewerSchemaError: a record was made by a newer version; this stage must stop.
            UnavailableError: nothing of the batch counts; ``close`` before the next step.
        """
        timeline = self._timeline or self._open()
        self._take_over(timeline)
        if not self._outbox.held:
            return 0
        if self._cursors.unwritten():
            timeout_seconds = min(timeout_seconds, max(0.0, self._due - time.monotonic()))
        taken = timeline.take(0 if self._backfills.is_waiting else timeout_seconds)
        self._outbox.look_again()
        for name, stories in self._mutes.fulfil(self._log, self._merges, self._outbox):
            self._changed(name, stories)
        if not taken:
            self._flush(is_idle=True)
            self._tell_changes()
            self._settle_doubts()
            self._backfills.step()
            self._clear_away()
            return 0
        self._claims.begin()
        self._merges.read()
        self._erasures.read()
        self._claiming.handle(taken)
        self._flush(is_idle=False)
        self._tell_changes()
        if len(taken) < BATCH:  # else more news waits
            self._backfills.step()
        self.done += len(taken)
        return len(taken)

    def lag(self) -> int:
        """Records of ``stories``, and of our subscriptions, that are not durably handled.

        What a backfill has to read again is among them.
        """
        held = self._shards.held()
        return alert_lag(self._log, held) + backfill_lag(self._log, held)

    def close(self) -> None:
        """Leave the log; the next step begins at the stored cursor."""
        if self._timeline is not None:
            self._timeline.close()
        self._timeline = None
        self._outlived.stop()

    def _open(self) -> Timeline:
        partitions = self._log.partitions(TOPIC)
        timeline = self._timeline = Timeline(self._log)  # now: the rest may fail, ``close`` closes
        self._cursors = Cursors()
        self._due = 0.0
        self._outbox = Outbox(
            self._log,
            self._shards,
            wake=self._wake,
            doubt=self._doubtful.update,
            crash_point=self._crash_point,
        )
        self._active = Active(partitions=partitions)
        self._merges = Merges(self._log)
        self._erasures = Erasures(self._log)
        self._mutes.clear()
        self._pace.clear()
        self._claims = Claims(
            self._log.table(TOPIC),
            self._merges.links,
            partitions=partitions,
            pace=self._pace,
            mutes=self._mutes,
        )
        matching = Matching(
            self._active, self._claims, self._erasures, settings=self._settings, clock=self._clock
        )
        self._claiming = Claiming(
            active=self._active,
            matching=matching,
            cursors=self._cursors,
            outbox=self._outbox,
            ahead=timeline.ahead,
            applied=lambda before, record, at: self._backfills.applied(before, record, at=at),
            changed=self._applied,
            quarantine=self._quarantine,
            clock=self._clock,
        )
        self._backfills = Backfills(
            self._log,
            active=self._active,
            matching=matching,
            claims=self._claims,
            merges=self._merges,
            erasures=self._erasures,
            outbox=self._outbox,
            guarded=self._claiming.guarded,
            clock=self._clock,
        )
        return timeline

    def _take_over(self, timeline: Timeline) -> None:
        """Let go of shards that went, and take in those that came, as the log has them now."""
        before, held = self._outbox.held, self._shards.held()
        if held == before:
            return
        # One that went and came back was another's in between: it begins anew.
        lost = {one for one, since in before.items() if held.get(one) != since}
        gained = {one for one, since in held.items() if before.get(one) != since}
        self._pace.forget(self._active.drop(lost))
        self._mutes.drop(lost)
        self._cursors.drop(lost)
        self._backfills.drop(lost)
        timeline.leave(lost)
        if gained:
            self._take_in(gained, timeline)
        self._outbox.held = held

    def _take_in(self, gained: set[int], timeline: Timeline) -> None:
        table = self._log.table(TOPIC)
        cursors = stored_cursors(table, gained)
        self._cursors.add(cursors, partitions=self._log.partitions(STORIES))
        self._active.add(
            decode(Since, record.value or b"")
            for record in table.items(SINCE)
            if record.partition.number in gained
        )
        self._mutes.add(one for one in table.items(MUTE) if one.partition.number in gained)
        since = self._clock() - self._pace.longest(self._active.subscriptions(gained))
        self._pace.recall(recent(table, gained, since=since))
        self._backfills.add(gained)
        for number, offset in self._cursors.reached.items():
            timeline.follow(Partition(STORIES, number), offset)
        for shard, cursor in cursors.items():
            timeline.follow(Partition(SUBSCRIPTIONS, shard), cursor.subscriptions)

    def _flush(self, *, is_idle: bool) -> None:
        """Write what was made, then how far its shards have come; all shards where it is time."""
        now = time.monotonic()
        behind = self._cursors.unwritten()
        if is_idle or now >= self._due:
            self._due = now + len(self._outbox.held) / CURSORS_PER_SECOND
        else:
            behind = [shard for shard in behind if shard in self._outbox.touched]
        for record in self._cursors.write(behind):
            self._outbox.add(record)
        self._outbox.append()
        self._outbox.touched.clear()

    def _tell_changes(self) -> None:
        """Have what waits looked at again; also where the log took a change without saying so."""
        for one in self._applied:
            if self._active.since(one) is None:
                self._mutes.removed(one, self._outbox)
                self._pace.forget([one])
            self._changed(one, ())
        self._applied.clear()

    def _settle_doubts(self) -> None:
        """Wake for claims that the log took without saying so: their cursor is past them (F38).

        At rest, so that all that was in hand has been read again; of those that are not there
        after all, or were delivered, nothing comes.
        """
        if self._doubtful:
            doubtful = sorted(self._doubtful)
            self._doubtful.clear()
            self._wake(doubtful)

    def _clear_away(self) -> None:
        """Drop some of the alerts whose stories are long over."""
        for gone in self._outlived.some(self._log.table(TOPIC), now=self._clock()):
            self._outbox.add(gone)
        self._outbox.append()
