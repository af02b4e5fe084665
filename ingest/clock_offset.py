"""How far this machine's clock is from the log's, told by a record we have just written.

Pure: times in, seconds and sentences out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.feeds import words

TOLERATED = timedelta(minutes=1)
"""Dates in articles are to the minute; a machine that keeps its clock is within a second."""


def clock_offset_seconds(before: datetime, after: datetime, *, appended: datetime) -> float:
    """Our clock minus the log's, for a record the log dated ``appended``.

    ``before`` and ``after`` are what our clock said around the append: 0 where the log's time
    lies between, negative where our clock is behind.
    """
    if appended < before:
        return (before - appended).total_seconds()
    if appended > after:
        return (after - appended).total_seconds()
    return 0.0


def clock_sentence(offset_seconds: float) -> str:
    """What is wrong with this machine's clock; empty where nothing is."""
    if abs(offset_seconds) <= TOLERATED.total_seconds():
        return ""
    side = "ahead of" if offset_seconds > 0 else "behind"
    return f"This machine's clock is {words(abs(offset_seconds))} {side} the log's."
