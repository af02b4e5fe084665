"""When an entry was published, as far as its claim can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.clean import cut, one_line
from ingest.dates import parse_date
from ingest.entry import RawEntry

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before the Web: a default value, not a date
_FUTURE = timedelta(hours=24)  # zones left out and embargoes; more is a mistake or bait
_CLAIM_CHARS = 100  # of the date as written; the longest real one has 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Dating:
    """The dates of an entry.

    Attributes:
        published: None where there is no date, or none that can be: see ``note``.
        updated: Likewise.
        claimed: The date as written.
        source: The element that gave ``published``; ``none``.
        note: Why ``published`` is None, as a phrase; else empty.
    """

    published: datetime | None
    updated: datetime | None
    claimed: str
    source: str
    note: str

    @property
    def day(self) -> str:
        """The day, or else the claim: the same at every poll."""
        return self.published.date().isoformat() if self.published else self.claimed


def date_entry(entry: RawEntry, *, language: str, fetched: datetime) -> Dating:
    """The dates of ``entry``, in a feed of ``language``, kept between 1990 and a day from now.

    Where the date of publication is missing or cannot be read, that of the last change serves.
    """
    language = entry.language or language
    published = parse_date(entry.published, language=language) if entry.published else None
    updated = parse_date(entry.updated, language=language) if entry.updated else None
    claim = entry.published or entry.updated
    note = _fault_of(published or updated, claim, fetched)
    source = (entry.date_source or "published") if published else "updated"
    return Dating(
        published=None if note else published or updated,
        updated=None if _fault_of(updated, entry.updated, fetched) else updated,
        claimed=cut(one_line(claim[: 2 * _CLAIM_CHARS]), _CLAIM_CHARS),
        source="none" if note else source,
        note=note,
    )


def _fault_of(moment: datetime | None, claim: str, fetched: datetime) -> str:
    if moment is None:
        return "date not understood" if claim.strip() else "no date"
    if moment < _OLDEST:
        return "date before 1990"
    return "date in the future" if moment > fetched + _FUTURE else ""
