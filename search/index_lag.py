"""How far the index is behind the log, by what it holds durably."""

from __future__ import annotations

from ingest.lag import unread
from ingest.log import Log, Partition
from search.checkpoints import LINKS, STORIES
from search.index import Checkpoint, Index


def partitions(log: Log) -> list[Partition]:
    """The partitions of ``stories``."""
    return [Partition(STORIES, number) for number in range(log.partitions(STORIES))]


def index_lag(log: Log, index: Index) -> int:
    """Records of ``stories`` and ``story-links`` that ``index`` does not hold durably yet."""
    known = index.checkpoint() or Checkpoint(log="", stories={})
    places = {one: known.stories.get(one.number, 0) for one in partitions(log)}
    return unread(log, {**places, LINKS: known.links})
