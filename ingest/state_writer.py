"""Writes what polls found, in one order, and waits while the log takes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence

import structlog

from ingest.errors import UnavailableError
from ingest.feeds import Feed, FeedState
from ingest.log import Log, NewRecord, Partition
from ingest.wire import decode, encode

HEALTH_SECONDS = 60.0
"""Changes of the schedule alone are written this often at most (ARCHITECTURE section 2)."""

PAUSE_SECONDS = (1.0, 30.0)
"""First and longest wait before a full or unreachable log is tried again."""

DISK_FULL = "Disk full: polling paused, searching still works."

_events = structlog.get_logger()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where a record stands in the log, and the event loop's time around its append."""

    partition: Partition
    offset: int
    before: float
    after: float


class StateWriter:
    """Writes the records of a poll and then the feed's state.

    Args:
        generation: Of the owner of a shard, negative where that is not us; None where there can
            never be another owner.

    Attributes:
        patient: Wait for a log that is full or unreachable, instead of raising.
        pause: Why nothing can be written now, as a sentence; empty while all is well.
        resumed: Called when writing works again.
        newest: The last state written, and the loop's time before and after.
    """

    def __init__(
        self,
        log: Log,
        *,
        generation: Callable[[int], int] | None = None,
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
        self.newest: Written | None = None

    async def store(
        self, feed: Feed, state: FeedState, records: Sequence[NewRecord] = ()
    ) -> FeedState | None:
        """Make ``records`` and then ``state`` durable; the state as it now counts.

        None where the feed is no longer ours: nothing was written. An earlier owner's state that
        came after ours is overwritten by this one.

        Where nothing but the schedule changed within a minute, the write is put off: what a
        crash then loses is a time, never a validator.

        Raises:
            StoreError: the log takes nothing, and we are not patient or it never will.
        """
        generation = max(self._generation(feed.shard), state.generation) if self._generation else 0
        state = dataclasses.replace(state, generation=generation, counter=state.counter + 1)
        now = asyncio.get_running_loop().time()
        when, last = self._written.get(feed.id, (0.0, None))
        same = last is not None and _matters(last) == _matters(state)
        if same and not records and now - when < HEALTH_SECONDS:
            self._unwritten[feed.id] = (feed, state)
            return state
        self._crash_point("K2")
        for batch in self._batches(records, self._record(feed, state)):
            if not await self._write(batch, state, feed.shard):
                return None
        self._written[feed.id] = (now, state)
        self._unwritten.pop(feed.id, None)
        return state

    async def flush(self) -> None:
        """Write the states that were put off."""
        late, self._unwritten = self._unwritten, {}
        for feed, state in late.values():
            await self._write([self._record(feed, state)], state, feed.shard)

    def forget(self, feed_id: str) -> None:
        """The feed is no longer ours: write nothing more of it."""
        self._written.pop(feed_id, None)
        self._unwritten.pop(feed_id, None)

    def _record(self, feed: Feed, state: FeedState) -> NewRecord:
        number = feed.shard % self._log.partitions("feed-state")
        return NewRecord(topic="feed-state", key=feed.id, value=encode(state), partition=number)

    def _batches(self, records: Sequence[NewRecord], state: NewRecord) -> list[list[NewRecord]]:
        """What is appended at once; a later batch only when the earlier ones are durable."""
        if self._generation is None:
            return [[*records, state]]  # one transaction
        entries = [record for record in records if record.topic == "entries"]
        others = [record for record in records if record.topic != "entries"]
        return [batch for batch in (entries, others, [state]) if batch]

    async def _write(self, records: Sequence[NewRecord], state: FeedState, shard: int) -> bool:
        """Append; False where the shard is no longer ours and nothing was appended."""
        wait, longest = PAUSE_SECONDS
        while True:
            try:
                if not await self._is_ours(state, shard):
                    self._leave()
                    return False
                # Shielded: a stop must not leave the log with half of a cancelled append.
                before = asyncio.get_running_loop().time()
                sent = asyncio.wrap_future(self._log.submit(records))
                sent.add_done_callback(_looked_at)
                self._note(records[-1], (await asyncio.shield(sent))[-1], before)
            except UnavailableError as error:
                if not self.patient:
                    raise
                self._pause(error)
                await self._wait(wait)
                wait = min(2 * wait, longest)
            else:
                self._resume()
                return True

    def _note(self, record: NewRecord, offset: int, before: float) -> None:
        if record.topic == "feed-state" and record.partition is not None:
            self.newest = Written(
                partition=Partition(record.topic, record.partition),
                offset=offset,
                before=before,
                after=asyncio.get_running_loop().time(),
            )

    async def _is_ours(self, state: FeedState, shard: int) -> bool:
        if self._generation is None:
            return True
        if self._generation(shard) < 0:
            return False
        # A process that stood still may think so and be wrong: the newer owner's state tells.
        table = self._log.table("feed-state")
        record = await asyncio.to_thread(table.get, state.feed_id)
        stands = decode(FeedState, record.value) if record and record.value else None
        return stands is None or stands.generation <= state.generation

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self._leave()
            raise

    def _leave(self) -> None:
        """Who waited for the log gave up; others who wait say so again."""
        if self.pause:
            self.pause = ""
            self.resumed()

    def _pause(self, error: UnavailableError) -> None:
        if not self.pause:
            _events.warning("polling paused", reason=error.sentence, hint=error.hint)
        self.pause = DISK_FULL if error.code == "disk-full" else error.sentence

    def _resume(self) -> None:
        if self.pause:
            self.pause = ""
            _events.info("polling resumed")
            self.resumed()


def _looked_at(sent: asyncio.Future[list[int]]) -> None:
    """Who was cancelled asks no more what came of it, and asyncio would call that forgotten."""
    if not sent.cancelled():
        sent.exception()


def _matters(state: FeedState) -> tuple[object, ...]:
    """What must be written at once when it changes: all but times and counts of the schedule."""
    return (
        state.state, state.poll, state.etag, state.last_modified, state.body_hash, state.title,
        state.followed_url, state.gone_since, state.wait_until, state.distrusted, state.moved_to,
    )  # fmt: skip
