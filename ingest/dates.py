"""Date strings as feeds write them: RFC 822, ISO 8601, and what publishers make of both.

A date that cannot be (31 June, month 13), or that could be two days (05/03/2019 without a weekday
or a language to decide), gives None: no date is better than a wrong one. A time without a zone is
UTC, a day without a time its first moment.
"""

# ruff: noqa: RUF001 - marks of other scripts
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ingest.days import named_day
from ingest.months import month_number
from ingest.zones import offset_minutes, zone_minutes

MAX_LENGTH: Final = 160
"""Characters read; the longest date string met in real feeds has 45, comments included."""

_EPOCH: Final = re.compile(r"(\d{9,10})(?:\.\d{1,9})?|(\d{13})", re.ASCII)
_ISO: Final = re.compile(
    r"(?P<year>\d{4})(?:-?w(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?|-(?P<month>\d{1,2})"
    r"(?:-(?P<day>\d{1,2}))?|(?P<basic>\d{4})|-?(?P<ordinal>\d{3}))?(?!\d)"
    r"(?:\s*t\s*|\s+|$)(?:(?P<hour>\d{1,2})(?:(?P<colon>:)?(?P<minute>\d{2})"
    r"(?:(?(colon):)(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?)?(?!\d|:\d))?(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_COMPACT: Final = re.compile(r"(?P<day>(?:19|20)\d{6})(?P<clock>\d{4}(?:\d\d)?)(?!\d)", re.ASCII)
_CLOCK: Final = re.compile(
    r"(?<![\d:.])(\d{1,2})\s?(?:[:h]|\buhr\b)\s?(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,12}))?)?(?![\d:])",
    re.ASCII,
)
_OFFSET: Final = re.compile(
    r"[\s,]*(?:(?:utc|gmt|ut|z)\s*(?=[+-]))?(?P<offset>[+-]\s?\d{1,2}(?::?\d{2}){0,2})(?!\d)(?::\d?)?"
    r"(?:\s*\(?(?:gmt|utc|z)\b)?|\s(?P<plus>\d{2}:\d{2})$",
    re.ASCII,
)
_NAME: Final = re.compile(r"[\s,]*([a-z]{1,5})(?![a-z])", re.ASCII)
_PLACE: Final = re.compile(r"[\s\[]*[a-z]+/[a-z]", re.ASCII)
_HALF_DAY: Final = re.compile(r"(?<![^\W\d_])([ap])\.?\s?m(?:\.|\b)")
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|[ºª°])(?![a-z])")
_REPLACED: Final = (
    *((mark, "-") for mark in ("年", "月", "년 ", "년", "월 ", "월", "\u2212", "\u2013", "\u2010")),
    *((mark, ":") for mark in ("時", "时", "点", "시 ", "시")),
    *((mark, " ") for mark in ("日", "일", "秒", "초", "\u200e", "\u200f")),
    *((mark, " am ") for mark in ("上午", "午前", "오전")),
    *((mark, " pm ") for mark in ("下午", "午後", "오후")),
    ("تشرين الأول", "تشرين1"),
    ("تشرين الثاني", "تشرين2"),
    ("كانون الأول", "كانون1"),
    ("كانون الثاني", "كانون2"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0

    def since_midnight(self, half: str) -> timedelta | None:
        """The time of day; None where no clock shows it. 24:00 and a leap second pass over."""
        hour = self.hour
        if half and hour <= 12:  # noqa: PLR2004 - the hours of half a day
            hour = hour % 12 + (12 if half == "p" else 0)
        if hour > 24 or self.minute > 59 or self.second > 60:  # noqa: PLR2004 - a clock
            return None
        return timedelta(
            hours=hour, minutes=self.minute, seconds=self.second, microseconds=self.microsecond
        )


def parse_date(raw: str, *, language: str = "") -> datetime | None:
    """The moment that ``raw`` names, in UTC, or None. Never raises.

    ``language`` (a tag such as ``pt-BR``) decides where names or the order of numbers are
    ambiguous.
    """
    text = _plain(raw)
    if not text:
        return None
    try:
        return _epoch(text) or _iso(text, language) or _free(text, language)
    except (ValueError, OverflowError):  # no such day, or beyond the years 1 to 9999
        return None


def _plain(raw: str) -> str:
    if len(raw) > MAX_LENGTH:
        raw = raw.strip()
        if len(raw) > MAX_LENGTH:
            return ""
    text = raw
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        for written, meant in _REPLACED:
            text = text.replace(written, meant)
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return _without_comments(text.lower()).strip().strip("\"'").rstrip(".")


def _without_comments(text: str) -> str:
    """``text`` without what RFC 822 puts in parentheses, nested ones and escapes included."""
    if "(" not in text:
        return text
    kept: list[str] = []
    depth = 0
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            next(letters, "")
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth = max(0, depth - 1)
            kept.append(" ")
        elif not depth:
            kept.append(letter)
    return "".join(kept)


def _epoch(text: str) -> datetime | None:
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    seconds = int(match[1]) if match[1] else int(match[2]) / 1000
    return datetime.fromtimestamp(seconds, UTC)


def _iso(text: str, language: str) -> datetime | None:
    compact = _COMPACT.match(text)
    if compact is not None:
        text = f"{compact['day']}t{compact['clock']}{text[compact.end() :]}"
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    half, rest = _half_day(match["rest"])
    offset = _zone(rest, language) if rest.strip() else (0, "")
    if offset is None or offset[1].strip():
        return None
    clock = _Clock(
        hour=int(match["hour"] or 0),
        minute=int(match["minute"] or 0),
        second=int(match["second"] or 0),
        microsecond=_microsecond(match["fraction"]),
    )
    return _moment(_iso_day(match), clock.since_midnight(half), offset[0])


def _iso_day(match: re.Match[str]) -> date:
    year = int(match["year"])
    if match["week"]:
        return date.fromisocalendar(year, int(match["week"]), int(match["weekday"] or 1))
    if match["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
        if day.year != year:
            raise ValueError(match["ordinal"])
        return day
    if match["basic"]:
        return date(year, int(match["basic"][:2]), int(match["basic"][2:]))
    return date(year, int(match["month"] or 1), int(match["day"] or 1))


def _free(text: str, language: str) -> datetime | None:
    """Words and numbers in any order that names one day."""
    half, text = _half_day(text)
    clock, offset = _Clock(), 0
    match = _CLOCK.search(text)
    if match is not None:
        zone = _zone(text[match.end() :], language)
        if zone is None:
            return None
        offset, rest = zone
        text = f"{text[: match.start()]} {rest}"
        clock = _Clock(
            hour=int(match[1]),
            minute=int(match[2]),
            second=int(match[3] or 0),
            microsecond=_microsecond(match[4]),
        )
    found = named_day(_ORDINAL.sub("", text), language=language)
    if found is None:
        return None
    day, leftover = found
    if leftover:
        zone = _zone(leftover[4:], language)
        if match is not None or zone is None:
            return None
        clock, offset = _Clock(hour=int(leftover[:2]), minute=int(leftover[2:4])), zone[0]
    return _moment(day, clock.since_midnight(half), offset)


def _half_day(text: str) -> tuple[str, str]:
    match = _HALF_DAY.search(text)
    if match is None:
        return "", text
    return match[1], f"{text[: match.start()]} {text[match.end() :]}"


def _zone(rest: str, language: str) -> tuple[int, str] | None:
    """Minutes east of UTC at the start of ``rest`` and what follows; None for an impossible one.

    An unknown name is UTC, as RFC 5322 section 4.3 wants it.
    """
    match = _OFFSET.match(rest)
    if match is not None:
        written = match["offset"] or f"+{match['plus']}"
        minutes = offset_minutes(written.replace(" ", ""))
        return None if minutes is None else (minutes, _drop_name(rest[match.end() :]))
    if _PLACE.match(rest):
        return None  # Europe/Berlin: needs a time zone database, and UTC would be a wrong date
    match = _NAME.match(rest)
    if match is None or month_number(match[1]) is not None:
        return 0, rest
    return zone_minutes(match[1], language=language) or 0, rest[match.end() :]


def _drop_name(rest: str) -> str:
    """``rest`` without the zone name that some write behind the offset (``+0200 CEST``)."""
    match = _NAME.match(rest)
    if match is None or zone_minutes(match[1]) is None:
        return rest
    return rest[match.end() :]


def _microsecond(fraction: str | None) -> int:
    return int((fraction or "")[:6].ljust(6, "0"))


def _moment(day: date, since_midnight: timedelta | None, offset: int) -> datetime | None:
    if since_midnight is None:
        return None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return midnight + since_midnight - timedelta(minutes=offset)
