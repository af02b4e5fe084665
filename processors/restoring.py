"""What the register must know again after a start: merges, and the articles of its window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.log import Log, Partition
from ingest.wire import decode
from processors.links import Links
from processors.records import Decision, StoryLink

TAGGED = Partition("tagged")
"""One partition: its offset is the one order in which everything is decided."""

_DECISIONS = Partition("decisions")


def restored(log: Log, *, group: str, hours: float) -> tuple[Links, list[Decision]]:
    """The merges, and the decisions whose articles the window holds, in the order of placing.

    All as of the offset at which ``group`` goes on: what was written beyond it, by a register
    that died before its commit, is decided again.
    """
    start = max(log.bounds(TAGGED)[0], log.committed(group, TAGGED) or 0)
    links = Links()
    merges = (decode(StoryLink, record.value or b"") for record in log.table("story-links").items())
    for link in sorted(merges, key=lambda link: (link.order, link.story_id)):
        if link.order < start:
            links.add(link)
    since = _next_seen(log, start) - timedelta(hours=hours)
    decisions = {
        decision.article_id: decision
        for decision in _decisions(log, since).values()
        if decision.placed < start and decision.seen > since
    }
    return links, sorted(decisions.values(), key=lambda decision: decision.placed)


def _next_seen(log: Log, start: int) -> datetime:
    """A time that no record still to be decided on is older than."""
    last = log.bounds(_DECISIONS)[1] - 1
    waiting = log.read(TAGGED, start, max_records=1)
    records = waiting or (log.read(_DECISIONS, last, max_records=1) if last >= 0 else [])
    return records[0].appended if records else datetime.max.replace(tzinfo=UTC)


def _decisions(log: Log, since: datetime) -> dict[str, Decision]:
    """Decisions written at ``since`` or later, the last of each article that was not erased.

    None is written before its article was seen.
    """
    found: dict[str, Decision] = {}
    offset = log.offset_at(_DECISIONS, since)
    while records := log.read(_DECISIONS, offset):
        for record in records:
            if record.value is None:
                found.pop(record.key, None)
            else:
                found[record.key] = decode(Decision, record.value)
        offset = records[-1].offset + 1
    return found
