"""Filling a new index from the log, beside the one in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ingest.log import Log
from search.checkpoints import LINKS, STORIES
from search.index import Building, Checkpoint
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
        # The end of the links before they are read: those written meanwhile are read twice.
        links_end = log.bounds(LINKS)[1]
        self.links = read_links(log)
        self.checkpoint = Checkpoint(log=log.identity(), stories=0, links=links_end)

    def follow(self) -> Iterator[tuple[int, int]]:
        """Index to the end of the log as it is by then; (done, total) after each batch."""
        while True:
            end = self._log.bounds(STORIES)[1]
            reached = self.checkpoint.stories
            records = self._log.read(STORIES, reached, max_records=BATCH) if reached < end else []
            room = max(0, BATCH - len(records))
            if room and self.checkpoint.links < self._log.bounds(LINKS)[1]:
                records += self._log.read(LINKS, self.checkpoint.links, max_records=room)
            if not records:
                self._write(batch_of((), self.links))
                yield end, end
                return
            self._write(batch_of(records, self.links))
            yield self.checkpoint.stories, max(end, self.checkpoint.stories)

    def _write(self, batch: Batch) -> None:
        checkpoint = batch.reached(self.checkpoint)
        result = self.building.write(
            batch.stories, checkpoint=None if batch.faults else checkpoint, links=batch.merges
        )
        faults = [*batch.faults, *batch.rejected(result.rejected)]
        if faults:
            self._set_aside(faults)
            self.building.write((), checkpoint=checkpoint)
        self.checkpoint = checkpoint
