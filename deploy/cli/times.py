"""Times as a person reads them: in their own zone, named; programs get UTC (``--json``)."""

from __future__ import annotations

from datetime import datetime


def when(text: str | None) -> str:
    """A time of the API to the second in the reader's zone: ``2026-11-23 05:25:07 CET``."""
    return _shown(text, "%Y-%m-%d %H:%M:%S %Z")


def minute(text: str | None) -> str:
    """The same to the minute."""
    return _shown(text, "%Y-%m-%d %H:%M %Z")


def day(text: str | None) -> str:
    """The day it was where the reader is."""
    return _shown(text, "%Y-%m-%d")


def _shown(text: str | None, form: str) -> str:
    """A dash where there is no time."""
    if not text:
        return "-"
    # The abbreviation of this zone at that time: summer and winter differ.
    return datetime.fromisoformat(text).astimezone().strftime(form)
