"""From the value typed behind ``source:``, ``feed:`` … ``seen:`` to what is compared."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from ingest.errors import QueryError
from ingest.identity import feed_id
from processors.analysis import fold
from processors.query_tree import Field, FieldName, TimeField, TimeRange

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(?:www\.)?([^/:?#]+)")
_TOPIC = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:@review)?")
_COMPARED = re.compile(r"(>=|<=|>|<)?(.+)")
_LAST = re.compile(r"([0-9]{1,4})([mhdw])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TICK = timedelta(milliseconds=1)  # times are kept in milliseconds


def metadata_field(name: FieldName, value: str, span: tuple[int, int]) -> Field:
    """``name:value`` with the value folded as that field folds it.

    Raises:
        QueryError: for an empty value or one that the field cannot have.
    """
    if name != "feed" and re.search(r"[*?]", value):
        raise QueryError(
            f"{name}: compares the whole value; wildcards are for words of the text.",
            hint="source: finds subdomains by itself; else list the values with OR.",
            caret=span[0],
        )
    folded = fold_value(name, value.strip())
    if not folded:
        raise QueryError(
            f"{name}: has no value that could be found.",
            hint=_EXAMPLES[name],
            caret=span[0],
        )
    return Field(name=name, value=folded, span=span)


_EXAMPLES: dict[FieldName, str] = {
    "source": "source:bbc.co.uk",
    "feed": "feed:https://news.example/rss, or the id that feeds list shows",
    "group": "group:politics, or group:“world news”",
    "lang": "lang:ar, the two-letter code",
    "author": 'author:"jane doe"',
    "tag": "tag:politics",
    "topic": "topic:ceasefire-talks, or topic:ceasefire-talks@review with the review band",
}


def fold_value(name: FieldName, value: str) -> str:
    """``value`` as field ``name`` compares it; empty where it can have no such value."""
    match name:
        case "source":
            host = _HOST.match(value.lower())
            return host.group(1).strip(".") if host else ""
        case "feed":
            return _feed(value)
        case "lang":
            return re.split("[-_]", value.lower())[0]
        case "topic":
            return value.lower() if _TOPIC.fullmatch(value.lower()) else ""
        case _:
            return fold(value)


def _feed(value: str) -> str:
    if "://" in value:
        return feed_id(value)
    return feed_id(f"https://{value}") if "." in value or "/" in value else value


def time_range(
    name: TimeField, value: str, span: tuple[int, int], *, now: datetime | None
) -> TimeRange:
    """``name:value``: ``24h``, ``2026-11-01``, ``>2026-11-01``, ``2026-11-01..2026-11-05``.

    A date means the whole day in UTC: ``>`` begins behind it, ``<=`` includes it.

    Raises:
        QueryError: for anything else, and for ``24h`` where ``now`` is None.
    """
    last = _LAST.fullmatch(value)
    if last:
        if now is None:
            raise QueryError(
                "A time span counts back from now, and there is no now here.",
                hint=f"Write a date: {name}:>2026-11-01",
                caret=span[0],
            )
        length = timedelta(**{_UNITS[last.group(2)]: int(last.group(1))})
        return TimeRange(name=name, start=now - length, end=None, span=span)
    if ".." in value:
        first, _, second = value.partition("..")
        start = _moment(first, name=name, span=span)[0]
        return TimeRange(
            name=name, start=start, end=_moment(second, name=name, span=span)[1], span=span
        )
    compared = _COMPARED.fullmatch(value)
    sign, rest = compared.groups() if compared else (None, "")
    first_moment, behind = _moment(rest, name=name, span=span)
    starts = {">": behind, ">=": first_moment, None: first_moment}
    ends = {"<": first_moment, "<=": behind, None: behind}
    return TimeRange(name=name, start=starts.get(sign), end=ends.get(sign), span=span)


def _moment(value: str, *, name: str, span: tuple[int, int]) -> tuple[datetime, datetime]:
    """The first moment of ``value`` and the first behind it."""
    try:
        if _DAY.fullmatch(value):
            start = datetime.combine(datetime.fromisoformat(value), time(), UTC)
            return start, start + timedelta(days=1)
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(
            f"“{value[:40]}” is not a date or time.",
            hint=f"{name}:24h, {name}:>2026-11-01, {name}:2026-11-01..2026-11-05",
            caret=span[0],
        ) from error
    else:
        return found, found + _TICK
