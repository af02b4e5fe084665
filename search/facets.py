"""How often each topic, source or language is among the hits, and when they were seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ingest.errors import UsageError
from ingest.wire import format_time
from search.engine import Engine, Row
from search.index import Bucket, Count
from search.milliseconds import DAY_MS, moment_at

MAX_VALUES = 50
"""Values shown of a facet, the most frequent ones."""

_COUNTED = 20_000  # values counted before the most frequent are chosen: more than there are sources
_MAX_BUCKETS = 10_000
_INTERVAL = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS}
_MONDAY_MS = 4 * DAY_MS  # 1970 began on a Thursday
Q = TypeVar("Q")
R = TypeVar("R", bound=Row)


def facets_of(
    engine: Engine[Q, R], query: Q, names: Sequence[str]
) -> Mapping[str, Sequence[Count]]:
    """The most frequent values of each facet. Raises UsageError for an unknown one."""
    for name in names:
        if name not in engine.facet_fields:
            raise UsageError(f"there is no facet {name[:40]}", hint="Use: topic, source, lang.")
    asked = {
        name: {"terms": {"field": engine.facet_fields[name], "size": _COUNTED}}
        for name in dict.fromkeys(names)
    }
    found = engine.aggregate(query, asked)
    return {name: _counts(found[name]["buckets"]) for name in asked}


def _counts(buckets: Sequence[Mapping[str, Any]]) -> list[Count]:
    # Topics of the review band are indexed as ``id@review``; facets show what was tagged.
    shown = [one for one in buckets if one["key"] and "@" not in one["key"]]
    shown.sort(key=lambda one: (-one["doc_count"], one["key"]))
    return [Count(value=one["key"], count=one["doc_count"]) for one in shown[:MAX_VALUES]]


def histogram_of(engine: Engine[Q, R], query: Q, interval: str) -> Sequence[Bucket]:
    """Hits by the time they were seen, empty buckets left out. Raises UsageError."""
    found = _INTERVAL.fullmatch(interval)
    if found is None:
        raise UsageError(f"not an interval: {interval[:40]}", hint="Use: 15m, 1h, 1d, 1w.")
    length = int(found.group(1)) * _UNITS_MS[found.group(2)]
    asked: dict[str, Any] = {"field": "seen", "interval": length, "min_doc_count": 1}
    if found.group(2) == "w":
        asked["offset"] = _MONDAY_MS % length
    answer = engine.aggregate(query, {"seen": {"histogram": asked}})["seen"]["buckets"]
    if len(answer) > _MAX_BUCKETS:
        raise UsageError(
            f"more than {_MAX_BUCKETS:,} buckets of {interval}", hint="Choose a longer interval."
        )
    return [Bucket(at=format_time(moment_at(one["key"])), count=one["doc_count"]) for one in answer]
