"""Times as a reader reads them, in their zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

COOKIE = "zone"
"""Set by the script to the browser's zone; without it the setting decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time for ``<time datetime>``: for machines, and for the reader."""

    iso: str
    text: str


class Times:
    """Writes times in the zone ``name``; in UTC, and says so, where there is no such zone."""

    def __init__(self, name: str, *, now: datetime | None = None) -> None:
        zone = _zone(name)
        self.name = name if zone is not None else "UTC"
        self.zone = zone or ZoneInfo("UTC")
        self._now = (now or datetime.now(UTC)).astimezone(self.zone)

    def moment(self, at: datetime | str | None) -> Moment | None:
        """``at`` as today's ``08:30``, else with its day; a text is RFC 3339."""
        if not at:
            return None
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        local = moment.astimezone(self.zone)
        mark = " UTC" if self.name == "UTC" else ""
        day = ""
        if local.date() != self._now.date():
            year = f" {local.year}" if local.year != self._now.year else ""
            day = f"{local.day} {local:%b}{year}, "
        iso = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Moment(iso=iso, text=f"{day}{local:%H:%M}{mark}")

    def span(self, start: datetime, end: datetime) -> str:
        """A period: ``23 Nov, 08:00 to 09:00``, or its days."""
        a, b = start.astimezone(self.zone), end.astimezone(self.zone)
        if (end - start).days >= 1:
            return (
                f"{a.day} {a:%b %Y}, {(end - start).days} days"
                if (end - start).days > 1
                else (f"{a.day} {a:%b %Y}")
            )
        return f"{a.day} {a:%b}, {a:%H:%M} to {b:%H:%M}"


def is_zone(name: str) -> bool:
    """Whether there is a time zone ``name``."""
    return _zone(name) is not None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such zone; a path or a folder
        return None
