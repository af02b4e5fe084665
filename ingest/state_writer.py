"""Writes what polls found, in one order, and waits while the log takes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence

import structlog

from ingest.errors import UnavailableError
from ingest.feeds import Feed, FeedState
from ingest.log import Log, NewRecord
from ingest.wire import encode

HEALTH_SECONDS = 60.0
"""Changes of the schedule alone are written this often at most (ARCHITECTURE section 2)."""

PAUSE_SECONDS = (1.0, 30.0)
"""First and longest wait before a full or unreachable log is tried again."""

DISK_FULL = "Disk full: polling paused, searching still works."

_events = structlog.get_logger()


class StateWriter:
    """Writes records of a poll and then the feed's state, in one append.

    Attributes:
        patient: Wait for a log that is full or unreachable, instead of raising.
        pause: Why nothing can be written now, as a sentence; empty while all is well.
        resumed: Called when writing works again.
    """

    def __init__(
        self,
        log: Log,
        *,
        generation: int = 0,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._generation = generation
        self._crash_point = crash_point
        self._written: dict[str, tuple[float, FeedState]] = {}
        self._unwritten: dict[str, tuple[Feed, FeedState]] = {}
        self.patient = False
        self.pause = ""
        self.resumed: Callable[[], None] = lambda: None

    async def store(
        self, feed: Feed, state: FeedState, records: Sequence[NewRecord] = ()
    ) -> FeedState:
        """Make ``records`` and then ``state`` durable; the state as it now counts.

        Where nothing but the schedule changed within a minute, the write is put off: what a
        crash then loses is a time, never a validator.

        Raises:
            StoreError: the log takes nothing, and we are not patient or it never will.
        """
        state = dataclasses.replace(state, generation=self._generation, counter=state.counter + 1)
        now = asyncio.get_running_loop().time()
        when, last = self._written.get(feed.id, (0.0, None))
        same = last is not None and _matters(last) == _matters(state)
        if same and not records and now - when < HEALTH_SECONDS:
            self._unwritten[feed.id] = (feed, state)
            return state
        self._crash_point("K2")
        await self._write([*records, self._record(feed, state)])
        self._written[feed.id] = (now, state)
        self._unwritten.pop(feed.id, None)
        return state

    async def flush(self) -> None:
        """Write the states that were put off."""
        late, self._unwritten = self._unwritten, {}
        if late:
            await self._write([self._record(feed, state) for feed, state in late.values()])

    def forget(self, feed_id: str) -> None:
        """The feed is no longer ours: write nothing more of it."""
        self._written.pop(feed_id, None)
        self._unwritten.pop(feed_id, None)

    def _record(self, feed: Feed, state: FeedState) -> NewRecord:
        number = feed.shard % self._log.partitions("feed-state")
        return NewRecord(topic="feed-state", key=feed.id, value=encode(state), partition=number)

    async def _write(self, records: Sequence[NewRecord]) -> None:
        wait, longest = PAUSE_SECONDS
        while True:
            try:
                # Shielded: a stop must not leave the log with half of a cancelled append.
                await asyncio.shield(asyncio.wrap_future(self._log.submit(records)))
            except UnavailableError as error:
                if not self.patient:
                    raise
                self._pause(error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, longest)
            else:
                self._resume()
                return

    def _pause(self, error: UnavailableError) -> None:
        if not self.pause:
            _events.warning("polling paused", reason=error.sentence, hint=error.hint)
        self.pause = DISK_FULL if error.code == "disk-full" else error.sentence

    def _resume(self) -> None:
        if self.pause:
            self.pause = ""
            _events.info("polling resumed")
            self.resumed()


def _matters(state: FeedState) -> tuple[object, ...]:
    """What must be written at once when it changes: all but times and counts of the schedule."""
    return (
        state.state, state.poll, state.etag, state.last_modified, state.body_hash, state.title,
        state.followed_url, state.gone_since, state.wait_until, state.distrusted, state.moved_to,
    )  # fmt: skip
