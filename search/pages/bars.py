"""The bars of a chart as links: each to the search of its period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from search.charts import Chart
from search.pages.searching import Asked
from search.pages.times import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class BarLink:
    """A bar: where it lies, where it leads, and what it says."""

    x: float
    y: float
    width: float
    height: float
    href: str
    label: str
    count: int
    start: str
    end: str


def bar_links(drawn: Chart, asked: Asked, times: Times) -> tuple[BarLink, ...]:
    """A link a bar: the search ``asked`` in the bar's period; none where the query is too long."""
    return tuple(
        BarLink(
            x=one.x,
            y=one.y,
            width=one.width,
            height=one.height,
            count=one.count,
            href=asked.link(since=_typed(one.start), until=_typed(one.end))
            if asked.is_short
            else "",
            label=times.span(one.start, one.end),
            start=_typed(one.start),
            end=_typed(one.end),
        )
        for one in drawn.bars
    )


def _typed(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
