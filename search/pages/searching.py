"""What a search page is asked, and how its answer is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus, urlencode

from search.index import Bucket, SearchResult, Sort

SHORT_CHARS = 200
"""Of a query in a link: a page has about 150 of them. A longer one stays in its form alone, whose
buttons do what the links do for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address of the page asks for, as it was typed."""

    q: str = ""
    since: str = ""
    until: str = ""
    sort: Sort = "newest"

    def link(self, **changed: str) -> str:
        """The address of the same search with something ``changed``."""
        values = {"q": self.q, "since": self.since, "until": self.until, "sort": self.sort}
        values |= changed
        kept = {name: value for name, value in values.items() if value}
        if kept.get("sort") == "newest":
            del kept["sort"]
        return f"/?{urlencode(kept)}" if kept else "/"

    @property
    def is_short(self) -> bool:
        """Whether links may hold the query."""
        return len(quote_plus(self.q)) <= SHORT_CHARS

    @property
    def export(self) -> str:
        """The address of all that is found, as a table."""
        asked = {"q": self.q, "since": self.since, "until": self.until, "format": "csv"}
        return "/api/export?" + urlencode({name: value for name, value in asked.items() if value})


def interval_of(since: datetime | None, until: datetime) -> str:
    """Of the histogram asked for: fine enough for the bars, and not too many of them."""
    span = until - since if since else timedelta(days=366)
    for limit, interval in ((timedelta(hours=3), "1m"), (timedelta(days=3), "15m")):
        if span <= limit:
            return interval
    return "1h" if span <= timedelta(days=366) else "1d"


def by_moment(buckets: Sequence[Bucket]) -> dict[datetime, int]:
    """The counts of a histogram by their times."""
    return {datetime.fromisoformat(one["at"]): one["count"] for one in buckets}


def total_of(result: SearchResult) -> str:
    """How many were found, in words that are true."""
    if result.relation == "gte":
        return f"more than {result.total:,} articles"
    return f"{result.total:,} article{'' if result.total == 1 else 's'}"
