"""How often each topic, source or language is among the hits, and when they were seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import tantivy

from ingest.errors import UsageError
from ingest.wire import format_time
from search.index import Bucket, Count

MAX_VALUES = 50
"""Values shown of a facet, the most frequent ones."""

_COUNTED = 20_000  # values counted before the most frequent are chosen: more than there are sources
_MAX_BUCKETS = 10_000
_FIELDS = {"topic": "topic", "source": "site", "lang": "lang"}
_INTERVAL = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_MONDAY_MS = 4 * 86_400_000  # 1970 began on a Thursday


def facets_of(
    searcher: tantivy.Searcher, query: tantivy.Query, names: Sequence[str]
) -> Mapping[str, Sequence[Count]]:
    """The most frequent values of each facet. Raises UsageError for an unknown one."""
    for name in names:
        if name not in _FIELDS:
            raise UsageError(f"there is no facet {name[:40]}", hint="Use: topic, source, lang.")
    asked = {
        name: {"terms": {"field": _FIELDS[name], "size": _COUNTED}} for name in dict.fromkeys(names)
    }
    found = searcher.aggregate(query, asked)
    return {name: _counts(found[name]["buckets"]) for name in asked}


def _counts(buckets: Sequence[Mapping[str, Any]]) -> list[Count]:
    # Topics of the review band are indexed as ``id@review``; facets show what was tagged.
    shown = [one for one in buckets if one["key"] and "@" not in one["key"]]
    shown.sort(key=lambda one: (-one["doc_count"], one["key"]))
    return [Count(value=one["key"], count=one["doc_count"]) for one in shown[:MAX_VALUES]]


def histogram_of(
    searcher: tantivy.Searcher, query: tantivy.Query, interval: str
) -> Sequence[Bucket]:
    """Hits by the time they were seen, empty buckets left out. Raises UsageError."""
    found = _INTERVAL.fullmatch(interval)
    if found is None:
        raise UsageError(f"not an interval: {interval[:40]}", hint="Use: 15m, 1h, 1d, 1w.")
    length = int(found.group(1)) * _UNITS_MS[found.group(2)]
    asked: dict[str, Any] = {"field": "seen", "interval": length, "min_doc_count": 1}
    if found.group(2) == "w":
        asked["offset"] = _MONDAY_MS % length
    answer = searcher.aggregate(query, {"seen": {"histogram": asked}})["seen"]["buckets"]
    if len(answer) > _MAX_BUCKETS:
        raise UsageError(
            f"more than {_MAX_BUCKETS:,} buckets of {interval}", hint="Choose a longer interval."
        )
    return [Bucket(at=_time(one["key"]), count=one["doc_count"]) for one in answer]


def _time(ms: float) -> str:
    return format_time(datetime.fromtimestamp(ms / 1000, UTC))
