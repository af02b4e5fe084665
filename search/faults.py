"""What the index cannot take goes to quarantine: a row for each record."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from ingest.log import Log, NewRecord
from ingest.quarantine import Quarantine
from search.story_batch import Fault

_events = structlog.get_logger(__name__)


def set_aside(log: Log, quarantine: Quarantine, faults: Sequence[Fault]) -> None:
    """Write the rows of ``faults``, durably. Raises UnavailableError."""
    rows = [_row(quarantine, fault) for fault in faults]
    found = [row for row in rows if row is not None]
    if found:
        log.append(found)


def _row(quarantine: Quarantine, fault: Fault) -> NewRecord | None:
    record = fault.record
    _events.error("record set aside", stage="index", key=record.key, reason=fault.why)
    return quarantine.put(
        "index",
        why=fault.why,
        code=fault.code,
        key=record.key,
        body=record.value or b"",
        now=record.appended,
        topic=record.partition.topic,
    )
