"""Times as the indexes keep them: whole milliseconds since 1970. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """The last whole millisecond up to ``moment``, as the wire form keeps it."""
    return (moment - _EPOCH) // _TICK


def ceiling(moment: datetime) -> int:
    """The first whole millisecond from ``moment`` on: what is kept is never before its time."""
    return -((_EPOCH - moment) // _TICK)


def moment_at(ms: float) -> datetime:
    """The time ``ms`` after 1970 began."""
    return _EPOCH + ms * _TICK
