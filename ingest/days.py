"""The day that words and numbers name, in the orders people write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from ingest.months import fold, month_number

_TOKEN: Final = re.compile(r"(\d+)([./-]?)|([^\s\d,./:;()\-+@'\"|\[\]_]+)", re.ASCII)
_WEEKDAYS: Final = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_MONTH_FIRST: Final = ("en-us", "en-ph", "en-bz")
_DAY_FIRST_ENGLISH: Final = ("en-gb", "en-au", "en-nz", "en-ie", "en-in", "en-za", "en-sg")
_CENTURY_TURN: Final = 50
"""RFC 5322: two digits below 50 are 20xx, the others 19xx."""
_LAST_YEAR: Final = 2400
"""Beyond it a year counts from the Buddha (Thailand): 2564 is 2021."""
_BUDDHIST: Final = 543


def named_day(text: str, *, language: str = "") -> tuple[date, str] | None:
    """The day that ``text`` names, and a clock written as four digits behind it."""
    numbers: list[str] = []
    month: int | None = None
    weekday: int | None = None
    separators = ""
    for match in _TOKEN.finditer(text):
        if match[1]:
            numbers.append(match[1])
            separators += match[2]
            continue
        weekday = _WEEKDAYS.get(match[3][:3], weekday)
        month = month_number(fold(match[3]), language=language) or month
    if month is not None:
        return _named(numbers, month)
    if len(numbers) == 1 and len(numbers[0]) == len("20210412"):
        return date(int(numbers[0][:4]), int(numbers[0][4:6]), int(numbers[0][6:])), ""
    if len(numbers) != len(("day", "month", "year")) or len(separators) < len(numbers) - 1:
        return None
    day = _numbered(numbers, separators, weekday=weekday, language=language)
    return None if day is None else (day, "")


def _named(numbers: list[str], month: int) -> tuple[date, str] | None:
    leftover = ""
    if len(numbers) == len(("day", "year", "clock")) and len(numbers[2]) == len("1500"):
        leftover = numbers.pop()
    if len(numbers) != len(("day", "year")):
        return None
    first, second = numbers
    if len(first) == len("2021"):
        first, second = second, first
    if len(first) > len("31"):
        return None
    return date(_year(second), month, int(first)), leftover


def _numbered(
    numbers: list[str], separators: str, *, weekday: int | None, language: str
) -> date | None:
    first, second, third = numbers
    if len(first) == len("2021"):
        return date(_year(first), int(second), int(third))
    if separators[0] == "-" and len(third) != len("2021"):
        return None  # 03-12-31: three meanings
    readings = dict.fromkeys(((first, second), (second, first)))
    found = [_valid(_year(third), int(month), int(day)) for day, month in readings]
    days = [day for day in found if day is not None]
    fitting = [day for day in days if day.weekday() == weekday] or days
    if len(fitting) == 1:
        return fitting[0]
    return _by_custom(days, dotted=separators[0] == ".", language=language)


def _by_custom(found: list[date], *, dotted: bool, language: str) -> date | None:
    """Of day-first and month-first readings, in this order, the one the language writes."""
    tag = language.replace("_", "-").lower()
    if not found or (tag.startswith("en") and tag not in _MONTH_FIRST + _DAY_FIRST_ENGLISH):
        return found[0] if found and dotted else None
    if dotted or (tag and tag not in _MONTH_FIRST):
        return found[0]
    return found[1] if tag else None


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(written: str) -> int:
    year = int(written)
    if len(written) == len("21"):
        return year + (2000 if year < _CENTURY_TURN else 1900)
    if len(written) != len("2021"):
        raise ValueError(written)
    return year - _BUDDHIST if year > _LAST_YEAR else year
