"""Which stories were merged, followed as ``story-links`` grows."""

from __future__ import annotations

from ingest.log import Log, Partition
from ingest.wire import decode
from processors.links import Links
from processors.records import StoryLink

LINKS = Partition("story-links")


class Merges:
    """``links`` as of the last ``read``; without a group, since everybody needs all of them."""

    def __init__(self, log: Log) -> None:
        self.links = Links()
        self._log = log
        self._next = log.bounds(LINKS)[1]
        merges = [
            decode(StoryLink, record.value or b"") for record in log.table(LINKS.topic).items()
        ]
        for link in sorted(merges, key=lambda link: (link.order, link.story_id)):
            self.links.add(link)

    def read(self) -> None:
        """Take in what has come. Links are written before the stories that follow them."""
        while records := self._log.read(LINKS, self._next):
            for record in records:
                self._next = record.offset + 1
                if record.value is not None:
                    self.links.add(decode(StoryLink, record.value))
