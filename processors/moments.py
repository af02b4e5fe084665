"""Moments as people write them on a command line: ``24h``, ``7d``, ``2026-11-01``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ingest.dates import parse_date
from ingest.errors import UsageError

_AGO = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, *, now: datetime) -> datetime:
    """The moment ``text`` names: so long before ``now``, or a date.

    Raises:
        UsageError: it names none.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        found = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else parse_date(text)
    except OverflowError:
        found = None
    if found is None:
        raise UsageError(
            f"{text!r} is not a time",
            hint="Write 24h, 7d, 2026-11-01 or 2026-11-01T08:00:00Z.",
            code="bad-time",
        )
    return found
