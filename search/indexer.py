"""The loop of the index: stories in, documents out.

The index keeps its own checkpoint, in the same commit as the documents; the group's offset in
the log follows as a hint, by which a lost or older index is noticed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace

import structlog

from ingest.errors import FencedError, UnavailableError
from ingest.log import Commit, Consumer, Log, NewRecord, Partition, Record
from ingest.quarantine import Quarantine
from processors.links import Links
from search.checkpoints import GROUP, LINKS, STORIES, begin_at
from search.index import Checkpoint, Index
from search.rebuild import Rebuild
from search.story_batch import Batch, Fault, batch_of, read_links

MAX_BATCH = 500
"""Records a commit: a commit costs fourteen fsyncs, some 60 ms, whatever it carries."""

COMMIT_SECONDS = 1.0
"""Between commits while records keep coming: each costs some 40 ms of CPU, whatever it carries.

Elasticsearch, too, shows what is new once a second. Alerts do not wait for the index.
"""

QUIET_SECONDS = 0.25
"""Without a record, after which what is there is committed."""

_FIRST_DELAY_SECONDS = 0.5
_LAST_DELAY_SECONDS = 30.0
_events = structlog.get_logger(__name__)


class Indexer:
    """Writes ``stories`` and ``story-links`` into ``index``, in order, at least once.

    ``step`` and ``run`` are for one thread; the rest is for any.

    Attributes:
        indexed: New articles and revisions that the index holds durably, since the start.
        quarantined: Of these, set aside.
        delay_seconds: How long to wait before the next step; 0 while all is well.
    """

    def __init__(
        self,
        log: Log,
        index: Index,
        *,
        quarantine: Quarantine,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._index = index
        self._quarantine = quarantine
        self._crash_point = crash_point
        self._gate = threading.Lock()  # held while writing, and by a rebuild that takes over
        self._consumer: Consumer | None = None
        self._checkpoint = Checkpoint(log=log.identity(), stories=0)
        self._links = Links()
        self._waiting: list[Record] = []
        self._rewind: int | None = None
        self._read = {STORIES: 0, LINKS: 0}  # the next offsets that this member polls
        self._counted = 0
        self._committed_at = -COMMIT_SECONDS
        self.indexed = 0
        self.quarantined = 0
        self.delay_seconds = 0.0

    def step(self, timeout_seconds: float = 1.0) -> int:
        """Index one batch; how many records were handled and are durable, 0 at time-out.

        Where index or log is full or busy nothing is lost: the batch is kept for the next step.

        Raises:
            ForeignStoreError: index and log do not belong together; this stage must stop.
            NewerSchemaError: a record was made by a newer version; this stage must stop.
        """
        try:
            self._take(timeout_seconds)
            handled = self._finish() if self._waiting else 0
        except UnavailableError as error:
            self.delay_seconds = min(
                _LAST_DELAY_SECONDS, max(_FIRST_DELAY_SECONDS, 2 * self.delay_seconds)
            )
            _events.warning(
                "index waits", reason=error.sentence, next_try_seconds=self.delay_seconds
            )
            return 0
        except FencedError:
            _events.info("index lost its partition")
            self.close()
            return 0
        self.delay_seconds = 0.0
        return handled

    def run(self, stop: threading.Event) -> None:
        """Step until ``stop`` is set; the batch in hand is finished. Raises as ``step``."""
        while not stop.is_set():
            self.step()
            if self.delay_seconds:
                stop.wait(self.delay_seconds)
        self.close()

    def lag(self) -> int:
        """Records of ``stories`` and ``story-links`` that the index does not hold durably yet."""
        known = self._index.checkpoint() or Checkpoint(log="", stories=0)
        return sum(
            max(0, self._log.bounds(partition)[1] - reached)
            for partition, reached in ((STORIES, known.stories), (LINKS, known.links))
            if self._log.read(partition, reached, max_records=1)  # else it was compacted away
        )

    def rewind(self, offset: int) -> None:
        """Read ``stories`` again from ``offset`` on: what is missing comes back."""
        self._rewind = offset

    def rebuild(self) -> Iterator[tuple[int, int]]:
        """Build the index anew from the log, then switch to it: (done, total) as it goes.

        Searches are answered by the old one until the end. Also for an index or log that came
        back as another one.

        Raises:
            UnavailableError: one is being built already, or the disk is full.
        """
        rebuild = Rebuild(self._log, self._index.successor(), set_aside=self._set_aside)
        try:
            yield from rebuild.follow()
            with self._gate:
                done = [*rebuild.follow()]
                rebuild.building.take_over()
                self._checkpoint, self._links = rebuild.checkpoint, rebuild.links
        except BaseException:  # a caller who goes away ends this generator, too
            rebuild.building.discard()
            raise
        if self._consumer is None:  # else it commits what it has read with its next batch
            self._hint(rebuild.checkpoint)
        yield done[-1]

    def close(self) -> None:
        """Leave the consumer group; the next step joins it again."""
        consumer, self._consumer = self._consumer, None
        self._waiting = []
        if consumer is not None:
            consumer.close()

    def _take(self, timeout_seconds: float) -> None:
        if self._consumer is None:
            self._links = read_links(self._log)
            self._consumer = self._log.consumer(
                GROUP, [STORIES.topic, LINKS.topic], on_assign=self._assigned
            )
        offset, self._rewind = self._rewind, None
        if offset is not None:
            self._waiting = []
            self._consumer.seek(STORIES, offset)
            self._read[STORIES] = offset
        if not self._waiting:
            self._waiting = self._polled(self._consumer, MAX_BATCH, timeout_seconds)
        if self._waiting:
            self._gather(self._consumer)

    def _gather(self, consumer: Consumer) -> None:
        """Take what comes until a commit is due, the batch is full, or nothing more comes."""
        while (room := MAX_BATCH - len(self._waiting)) > 0:
            early = self._committed_at + COMMIT_SECONDS - time.monotonic()
            if early <= 0:
                return
            time.sleep(min(early, QUIET_SECONDS))
            more = self._polled(consumer, room, 0)
            if not more:
                return
            self._waiting += more

    def _polled(self, consumer: Consumer, max_records: int, timeout_seconds: float) -> list[Record]:
        records = consumer.poll(max_records=max_records, timeout_seconds=timeout_seconds)
        for one in records:
            self._read[one.partition] = one.offset + 1
        return records

    def _finish(self) -> int:
        with self._gate:
            batch = batch_of(self._waiting, self._links)
            checkpoint = batch.reached(self._checkpoint)
            self._crash_point("K5")
            result = self._index.write(
                batch.stories, checkpoint=None if batch.faults else checkpoint, links=batch.merges
            )
            self._crash_point("K5-written")
            faults = [*batch.faults, *batch.rejected(result.rejected)]
            if faults:
                self._set_aside(faults)
                self._index.write((), checkpoint=checkpoint)
            self._hint(self._read_of(checkpoint))
            self._checkpoint = checkpoint
            self._count(batch, result.rejected)
        handled = len(self._waiting)
        self._waiting = []
        self._committed_at = time.monotonic()
        return handled

    def _read_of(self, checkpoint: Checkpoint) -> Checkpoint:
        """What this member has read of it: after a rebuild or a rewind that is less than all."""
        return replace(
            checkpoint,
            stories=min(checkpoint.stories, self._read[STORIES]),
            links=min(checkpoint.links, self._read[LINKS]),
        )

    def _hint(self, checkpoint: Checkpoint) -> None:
        offsets = {STORIES: checkpoint.stories, LINKS: checkpoint.links}
        self._log.append([], commit=Commit(group=GROUP, offsets=offsets))

    def _count(self, batch: Batch, refused: Container[str]) -> None:
        """Count what is read for the first time; what is read again was counted then."""
        aside = {one.record.offset for one in batch.faults if one.record.partition == STORIES}
        stories = (one for one in batch.records if one.partition == STORIES)
        aside |= {one.offset for one in stories if one.key in refused} & batch.counted
        fresh = {offset for offset in batch.counted | aside if offset >= self._counted}
        self.quarantined += len(fresh & aside)
        self.indexed += len(fresh - aside)
        self._counted = max([self._counted, *(offset + 1 for offset in fresh)])

    def _set_aside(self, faults: Sequence[Fault]) -> None:
        rows = [self._row(fault) for fault in faults]
        self._log.append([row for row in rows if row is not None])

    def _row(self, fault: Fault) -> NewRecord | None:
        record = fault.record
        _events.error("record set aside", stage="index", key=record.key, reason=fault.why)
        return self._quarantine.put(
            "index",
            why=fault.why,
            code=fault.code,
            key=record.key,
            body=record.value or b"",
            now=record.appended,
            topic=record.partition.topic,
        )

    def _assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        self._waiting = []
        checkpoint = begin_at(
            self._index.checkpoint(),
            log=self._log.identity(),
            end=self._log.bounds(STORIES)[1],
            hint=self._log.committed(GROUP, STORIES),
            outdated=self._index.outdated,
        )
        self._checkpoint = checkpoint
        starts = {STORIES: checkpoint.stories, LINKS: checkpoint.links}
        self._read = dict(starts)
        return {partition: starts[partition] for partition in partitions}
