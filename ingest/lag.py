"""How far somebody is behind, measured in the log: no reader need answer."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.log import Log, Partition


def unread(log: Log, places: Mapping[Partition, int]) -> int:
    """Records from ``places`` on; none of a partition whose rest was compacted away."""
    ends = log.ends(places.keys())
    return sum(
        ends[one] - offset
        for one, offset in places.items()
        if offset < ends[one] and log.read(one, offset, max_records=1)
    )


def group_lag(log: Log, group: str, topic: str) -> int:
    """Records of ``topic`` that ``group`` has not committed; those compacted away count, too."""
    places = [Partition(topic, number) for number in range(log.partitions(topic))]
    reached = {one: log.committed(group, one) for one in places}
    ends = log.ends(places)
    return sum(
        ends[one] - max(log.bounds(one)[0], reached[one] or 0)
        for one in places
        if reached[one] != ends[one]
    )
