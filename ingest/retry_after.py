"""The header Retry-After, as hosts send it (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SHORTEST_SECONDS = 60.0
"""A host that asks for less, for nothing or for the past is still left alone for a minute."""

LONGEST_SECONDS = 7 * 86_400.0
"""A feed is looked at once a week whatever its host says."""

_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.[0-9]*)?")
_LONGEST_DIGITS = 9
"""More digits than this are more than a week; int() refuses above 4,300."""


def parse_retry_after(raw: str, *, now: datetime) -> float | None:
    """Seconds to wait from ``now``, between a minute and a week; None where ``raw`` says nothing.

    Takes seconds (also negative, broken or absurdly long ones) and HTTP dates. Never raises.
    """
    text = raw.strip()
    number = _NUMBER.fullmatch(text)
    if number:
        sign, digits = number.groups()
        digits = digits.lstrip("0") or "0"
        seconds = LONGEST_SECONDS if len(digits) > _LONGEST_DIGITS else float(digits)
        return _clamp(-seconds if sign == "-" else seconds)
    if len(text) > 100:  # noqa: PLR2004 - no HTTP date is longer than 33 characters
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _clamp((moment - now).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _clamp(seconds: float) -> float:
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
