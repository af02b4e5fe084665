"""What a subscription would have sent, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from search.charts import Chart, chart
from search.pages.bars import BarLink, bar_links
from search.pages.pieces import TITLE_CHARS, Pieces, language_of, pieces
from search.pages.searching import Asked
from search.pages.times import Moment, Times

DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An article that would have been sent."""

    id: str
    title: Pieces
    lang: str
    source: str
    seen: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many alerts, by day, and some of them."""

    sentence: str
    chart: Chart | None
    bars: tuple[BarLink, ...]
    examples: tuple[Example, ...]


def drawn(found: dict[str, Any], query: str, times: Times) -> Preview:
    """The answer of ``Services.preview`` for a page."""
    days = {
        datetime.fromisoformat(one["day"]).replace(tzinfo=UTC): one["alerts"]
        for one in found["days"]
    }
    shown = chart(days, step=timedelta(days=1)) if any(days.values()) else None
    return Preview(
        sentence=f"It {found['sentence']}.",
        chart=shown,
        bars=bar_links(shown, Asked(q=query), times) if shown else (),
        examples=tuple(_example(one, times) for one in found["examples"]),
    )


def _example(hit: dict[str, Any], times: Times) -> Example:
    title = hit["highlights"]["title"]
    spans = title[0]["spans"] if title else ()
    return Example(
        id=hit["id"],
        title=pieces(hit["title"] or "(no title)", spans, most=TITLE_CHARS),
        lang=language_of(hit["language"]),
        source=hit["source"],
        seen=times.moment(hit["seen"]),
    )
