"""The feeds of one poller: which they are, where each stands, when each is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from ingest import schedule
from ingest.due_queue import DueQueue
from ingest.feeds import Feed, FeedState
from ingest.log import Log
from ingest.politeness import HostSlots
from ingest.settings import PollSettings
from ingest.wire import decode


class Roster:
    """Feeds with their states, read from the log; due times are monotonic.

    Attributes:
        feeds, states: By feed id; every listed feed has a state.
        due: Listed feeds that wait for their time.
    """

    def __init__(
        self,
        log: Log,
        *,
        slots: HostSlots,
        settings: PollSettings,
        clock: Callable[[], datetime],
        owns: Callable[[int], bool],
    ) -> None:
        self._log = log
        self._slots = slots
        self._settings = settings
        self._clock = clock
        self._owns = owns
        self.feeds: dict[str, Feed] = {}
        self.states: dict[str, FeedState] = {}
        self.due = DueQueue()

    def refresh(self) -> frozenset[str]:
        """Read the list again; the ids that are no longer in it."""
        listed = {}
        for record in self._log.table("feeds").items():
            feed = decode(Feed, record.value or b"")
            if self._owns(feed.shard):
                listed[feed.id] = feed
        left = frozenset(self.feeds.keys() - listed.keys())
        self.drop(left)
        self.take(listed.values(), self.stored(list(listed.values())))
        return left

    def stored(self, feeds: Sequence[Feed]) -> Mapping[str, FeedState]:
        """The written states of those of ``feeds`` that are new here; reads the log."""
        fresh = [feed.id for feed in feeds if self._is_fresh(feed)]
        records = self._log.table("feed-state").many(fresh) if fresh else {}
        return {
            feed_id: decode(FeedState, record.value)
            for feed_id, record in records.items()
            if record.value is not None
        }

    def take(self, feeds: Iterable[Feed], stored: Mapping[str, FeedState]) -> None:
        """Feeds that came or changed; new ones begin where their ``stored`` state says."""
        for feed in feeds:
            is_fresh = self._is_fresh(feed)
            self.feeds[feed.id] = feed
            if is_fresh:
                self._begin(feed, stored.get(feed.id) or FeedState(feed_id=feed.id))

    def drop(self, feed_ids: Iterable[str]) -> None:
        """Feeds that went."""
        for feed_id in feed_ids:
            self.due.drop(feed_id)
            self.feeds.pop(feed_id, None)
            self.states.pop(feed_id, None)

    def plan(self, feed_id: str) -> None:
        """Make a feed due when its state says so; never where polling has ended."""
        state = self.states[feed_id]
        seconds = schedule.due_in(state, now=self._clock(), settings=self._settings)
        if seconds is not None:
            self.due.put(feed_id, monotonic_now() + seconds)

    def _is_fresh(self, feed: Feed) -> bool:
        known = self.feeds.get(feed.id)
        return known is None or known.added != feed.added

    def _begin(self, feed: Feed, state: FeedState) -> None:
        self.states[feed.id] = state
        held = schedule.hold_seconds(state, now=self._clock())
        if held:
            # A wish of the host outlives our restart.
            self._slots.hold(schedule.address(feed, state), held)
        self.plan(feed.id)


def monotonic_now() -> float:
    """The event loop's clock: what waiting is measured by."""
    return asyncio.get_running_loop().time()
