"""Filling an index from the log: a new one beside that in force, or that with what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from ingest.log import Log, Partition, Record
from processors.erasures import Erasures
from search.checkpoints import LINKS, STORIES
from search.index import Building, Checkpoint, Index
from search.story_batch import Batch, Fault, batch_of, read_links

BATCH = 500
"""Records read at a time; they are committed together."""


class Rebuild:
    """Reads ``stories`` from the beginning into ``building``."""

    def __init__(
        self, log: Log, building: Building, *, set_aside: Callable[[Sequence[Fault]], None]
    ) -> None:
        self._log = log
        self.building = building
        self._set_aside = set_aside
        self._erasures = Erasures(log)
        self._partitions = log.partitions(STORIES)
        # The end of the links before they are read: those written meanwhile are read twice.
        links_end = log.bounds(LINKS)[1]
        self.links = read_links(log)
        self.checkpoint = Checkpoint(
            log=log.identity(),
            stories=dict.fromkeys(range(self._partitions), 0),
            links=links_end,
            rebuilt=True,
        )

    def follow(self) -> Iterator[tuple[int, int]]:
        """Index to the end of the log as it is by then; (done, total) after each batch."""
        while True:
            ends = {n: self._log.bounds(Partition(STORIES, n))[1] for n in self.checkpoint.stories}
            total = sum(ends.values())
            records = self._unread(ends)
            self._erasures.read()
            self._write(batch_of(records, self.links, self._erasures))
            if not records:
                yield total, total
                return
            done = sum(self.checkpoint.stories.values())
            yield done, max(total, done)

    def _unread(self, ends: Mapping[int, int]) -> list[Record]:
        """A batch of what was not read yet, of one partition after another."""
        records: list[Record] = []
        for number, reached in self.checkpoint.stories.items():
            room = BATCH - len(records)
            if room > 0 and reached < ends[number]:
                records += self._log.read(Partition(STORIES, number), reached, max_records=room)
        room = BATCH - len(records)
        if room > 0 and self.checkpoint.links < self._log.bounds(LINKS)[1]:
            records += self._log.read(LINKS, self.checkpoint.links, max_records=room)
        return records

    def _write(self, batch: Batch) -> None:
        checkpoint = batch.reached(self.checkpoint)
        result = self.building.write(
            batch.stories,
            checkpoint=None if batch.faults else checkpoint,
            links=batch.merges,
            removed=batch.removed,
        )
        faults = [*batch.faults, *batch.rejected(result.rejected)]
        if faults:
            self._set_aside(faults)
            self.building.write((), checkpoint=checkpoint)
        self.checkpoint = checkpoint


def refill(
    log: Log,
    index: Index,
    *,
    since: datetime,
    gate: AbstractContextManager[object],
    aside: Callable[[Sequence[Fault]], None],
) -> Iterator[tuple[int, int]]:
    """Write what came into ``stories`` from ``since`` on once more; see ``Indexer.refill``."""
    links, erasures = read_links(log), Erasures(log)
    places = [Partition(STORIES, number) for number in range(log.partitions(STORIES))]
    spans = [(place, log.offset_at(place, since), log.bounds(place)[1]) for place in places]
    done, total = 0, sum(end - start for _, start, end in spans)
    for place, start, end in spans:
        at = start
        while at < end and (records := log.read(place, at, max_records=BATCH)):
            erasures.read()
            batch = batch_of([one for one in records if one.offset < end], links, erasures)
            with gate:
                result = index.write(batch.stories, removed=batch.removed)
            aside(batch.rejected(result.rejected))
            at = records[-1].offset + 1
            yield done + min(at, end) - start, total
        done += end - start
    yield total, total
