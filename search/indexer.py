"""The loop of the index: stories in, documents out.

The index keeps its own checkpoint, stored with the documents; the group's offset in the log
follows as a hint, by which a lost or older index is noticed. Members of the group share the
partitions of ``stories``; the merges of stories are followed whole by each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from ingest.errors import FencedError, UnavailableError
from ingest.log import Commit, Consumer, Log, Partition, Record
from ingest.quarantine import Quarantine
from processors.back_off import back_off
from processors.erasures import Erasures
from processors.links import Links
from search.checkpoints import GROUP, LINKS, STORIES, begin_at
from search.faults import set_aside
from search.index import Checkpoint, Index
from search.index_lag import index_lag
from search.rebuild import Rebuild, refill
from search.story_batch import Batch, batch_of, read_links

MAX_BATCH = 500
"""Records a commit: a commit costs fourteen fsyncs, some 60 ms, whatever it carries."""

COMMIT_SECONDS = 1.0
"""Between commits while records keep coming: each costs some 40 ms of CPU, whatever it carries.

Elasticsearch, too, shows what is new once a second. Alerts do not wait for the index.
"""

QUIET_SECONDS = 0.25
"""Without a record, after which what is there is committed."""

ASK_SECONDS = 5.0
"""What was indexed just before another process rebuilt the index is missing in it for so long."""

_events = structlog.get_logger(__name__)


class Indexer:
    """Writes ``stories`` and ``story-links`` into ``index``, in order, at least once.

    ``step`` and ``run`` are for one thread; the rest is for any.

    Attributes:
        done: Records handled durably since the start.
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
        self._set_aside = partial(set_aside, log, quarantine)
        self._crash_point = crash_point
        self._gate = threading.Lock()  # held while writing, and by a rebuild that takes over
        self._consumer: Consumer | None = None
        self._checkpoint = Checkpoint(log=log.identity(), stories={})
        self._links = Links()
        self._erasures = Erasures(log)
        self._waiting: list[Record] = []
        self._read: dict[int, int] = {}  # the next offsets that this member polls
        self._counted: dict[int, int] = {}
        self._committed_at = -COMMIT_SECONDS
        self._asked = 0.0
        self.done = 0
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
            handled = self._finish() if self._waiting else self._ask()
        except UnavailableError as error:
            self.delay_seconds = back_off(self.delay_seconds)
            _events.warning(
                "index waits", reason=error.sentence, next_try_seconds=self.delay_seconds
            )
            return 0
        except FencedError:
            _events.info("index lost its partition")
            self.close()
            return 0
        self.delay_seconds = 0.0
        self.done += handled
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
        return index_lag(self._log, self._index)

    def waiting(self) -> int:
        """Records of the partitions that this member reads that the index does not hold yet."""
        consumer = self._consumer
        return len(self._waiting) + (consumer.lag() if consumer else 0)

    def refill(self, since: datetime) -> Iterator[tuple[int, int]]:
        """Write what came into ``stories`` from ``since`` on once more: (done, total) as it goes.

        What is missing comes back; what the index holds is left as it is.

        Raises:
            UnavailableError: the index cannot be written now.
        """
        return refill(self._log, self._index, since=since, gate=self._gate, aside=self._set_aside)

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
                self._checkpoint = replace(rebuild.checkpoint, rebuilt=False)
                self._links = rebuild.links
        except BaseException:  # a caller who goes away ends this generator, too
            rebuild.building.discard()
            raise
        if self._consumer is None:  # else it commits what it has read with its next batch
            with suppress(FencedError):  # so do members in other processes
                self._commit(rebuild.checkpoint.stories)
        yield done[-1]

    def close(self) -> None:
        """Leave the consumer group; the next step joins it again."""
        consumer, self._consumer = self._consumer, None
        self._waiting = []
        self._read = {}
        if consumer is not None:
            consumer.close()

    def _take(self, timeout_seconds: float) -> None:
        if self._consumer is None:
            self._links = read_links(self._log)
            self._consumer = self._log.consumer(GROUP, [STORIES], on_assign=self._assigned)
        if not self._waiting:
            self._waiting = self._polled(self._consumer, MAX_BATCH, timeout_seconds)
            self._let_go(self._consumer.assignment())
            self._waiting += self._merges()
        if self._waiting:
            self._gather(self._consumer)

    def _let_go(self, mine: frozenset[Partition]) -> None:
        """Forget the partitions that another member reads now."""
        lost = self._read.keys() - {one.number for one in mine}
        for number in lost:
            del self._read[number]
        if lost:
            stories = {n: at for n, at in self._checkpoint.stories.items() if n in self._read}
            self._checkpoint = replace(self._checkpoint, stories=stories)

    def _merges(self) -> list[Record]:
        """The merges that are not in the index yet, if it is clear where they begin."""
        return self._log.read(LINKS, self._checkpoint.links) if self._read else []

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
            self._read[one.partition.number] = one.offset + 1
        return records

    def _ask(self) -> int:
        """Now and then, at rest, whether this index is still the one in force; handles nothing."""
        if time.monotonic() - self._asked > ASK_SECONDS:
            self._asked = time.monotonic()
            self._index.write(())
        return 0

    def _finish(self) -> int:
        with self._gate:
            self._erasures.read()
            batch = batch_of(self._waiting, self._links, self._erasures)
            checkpoint = batch.reached(self._checkpoint)
            self._crash_point("K5")
            result = self._index.write(
                batch.stories,
                checkpoint=None if batch.faults else checkpoint,
                links=batch.merges,
                removed=batch.removed,
            )
            self._crash_point("K5-written")
            faults = [*batch.faults, *batch.rejected(result.rejected)]
            if faults:
                self._set_aside(faults)
                self._index.write((), checkpoint=checkpoint)
            self._hint(checkpoint)
            self._checkpoint = checkpoint
            self._count(batch, result.rejected)
        handled = len(self._waiting)
        self._waiting = []
        self._committed_at = time.monotonic()
        return handled

    def _hint(self, checkpoint: Checkpoint) -> None:
        """Commit what this member has read of it: after a rebuild or a rewind less than all."""
        self._commit({n: min(checkpoint.stories[n], at) for n, at in self._read.items()})

    def _commit(self, reached: Mapping[int, int]) -> None:
        offsets = {Partition(STORIES, number): at for number, at in reached.items()}
        self._log.append([], commit=Commit(group=GROUP, offsets=offsets))

    def _count(self, batch: Batch, refused: Container[str]) -> None:
        """Count what is read for the first time; what is read again was counted then."""
        aside = {(f.record.partition, f.record.offset) for f in batch.faults}
        aside |= {
            (one.partition, one.offset) for one in batch.records if one.key in refused
        } & batch.counted
        fresh = {
            place
            for place in batch.counted | aside
            if place[0] != LINKS and place[1] >= self._counted.get(place[0].number, 0)
        }
        self.quarantined += len(fresh & aside)
        self.indexed += len(fresh - aside)
        for partition, offset in fresh:
            number = partition.number
            self._counted[number] = max(self._counted.get(number, 0), offset + 1)

    def _assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Where to begin in ``partitions``, which are new to this member."""
        numbers = {one.number for one in partitions}
        self._waiting = [
            one
            for one in self._waiting
            if one.partition == LINKS or one.partition.number not in numbers
        ]
        begin = begin_at(
            self._index.checkpoint(),
            log=self._log.identity(),
            ends={one.number: self._log.bounds(one)[1] for one in partitions},
            hints={one.number: self._log.committed(GROUP, one) or 0 for one in partitions},
            outdated=self._index.outdated,
        )
        links = min(begin.links, self._checkpoint.links) if self._read else begin.links
        kept = {
            number: at for number, at in self._checkpoint.stories.items() if number in self._read
        }
        self._checkpoint = replace(begin, stories={**kept, **begin.stories}, links=links)
        self._read |= begin.stories
        return {one: begin.stories[one.number] for one in partitions}
