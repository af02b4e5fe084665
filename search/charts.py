"""Charts as plain numbers for a template to draw: bars over time, dots on a line. Pure.

Everything counts in units of the drawing (``Chart.width`` x ``Chart.height``); the browser scales
it. A bar knows the period it stands for, so that it can be a link to a search of that period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT = 600, 80

MOST_BARS = 60
"""On a phone of 320 points a bar is five points wide then."""

STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 60, 180, 360, 720, 1_440, 2_880, 10_080, 40_320, 161_280)
)
"""Periods that a bar may stand for: what people read on a clock or a calendar."""

GAP = 0.15
"""Of a bar's room that stays empty beside it."""

LEAST_HEIGHT = 2.0
"""One article beside a thousand must still be seen."""

EPOCH_MONDAY = datetime.fromisoformat("1970-01-05T00:00:00+00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One period and how much fell into it: from ``start`` on, before ``end``."""

    start: datetime
    end: datetime
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars from left to right; ``most`` is the count of the highest."""

    bars: tuple[Bar, ...]
    most: int
    step: timedelta
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def ends(self) -> tuple[datetime, datetime]:
        """When the first bar begins and the last one ends."""
        return self.bars[0].start, self.bars[-1].end


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """An event on a time line; ``row`` keeps dots apart that would lie upon each other."""

    at: datetime
    x: float
    row: int


def step_of(span: timedelta) -> timedelta:
    """The shortest period that cuts ``span`` into no more than ``MOST_BARS``."""
    return next((step for step in STEPS if span <= step * MOST_BARS), STEPS[-1])


def floor(moment: datetime, step: timedelta) -> datetime:
    """The start of the period of length ``step`` that ``moment`` lies in; weeks begin on Monday."""
    return EPOCH_MONDAY + (moment - EPOCH_MONDAY) // step * step


def chart(
    counts: Mapping[datetime, int],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    step: timedelta | None = None,
) -> Chart | None:
    """The bars of ``counts`` (by moment) from ``start`` to ``end``; None where there is nothing.

    Without bounds: from the first count to the last. Empty periods are bars of no height.
    """
    if not counts:
        return None
    first = start or min(counts)
    last = end or max(counts)
    step = step or step_of(last - first)
    begin = floor(first, step)
    number = min(MOST_BARS, max(1, -((begin - last) // step)))
    found = [0] * (number + 1)
    for moment, count in counts.items():
        found[min(max((moment - begin) // step, 0), number)] += count
    if not found[-1]:  # where the last moment is not itself the start of a period
        found.pop()
    return _drawn(found, begin=begin, step=step)


def _drawn(found: Sequence[int], *, begin: datetime, step: timedelta) -> Chart:
    most, room = max(found), WIDTH / len(found)
    bars = []
    for place, count in enumerate(found):
        height = max(HEIGHT * count / max(most, 1), LEAST_HEIGHT) if count else 0.0
        bars.append(
            Bar(
                start=begin + place * step,
                end=begin + (place + 1) * step,
                count=count,
                x=round(place * room, 2),
                y=round(HEIGHT - height, 2),
                width=round(room * (1 - GAP), 2),
                height=round(height, 2),
            )
        )
    return Chart(bars=tuple(bars), most=most, step=step)


def time_line(moments: Sequence[datetime], *, apart: float = 10.0) -> tuple[Dot, ...]:
    """A dot for each of ``moments``, in their order; those nearer than ``apart`` get rows."""
    if not moments:
        return ()
    first, span = min(moments), max(moments) - min(moments)
    ends: list[float] = []
    dots = []
    for at in moments:
        x = round(WIDTH * ((at - first) / span), 2) if span else WIDTH / 2
        row = next((row for row, end in enumerate(ends) if abs(x - end) >= apart), len(ends))
        if row == len(ends):
            ends.append(x)
        ends[row] = x
        dots.append(Dot(at=at, x=x, row=row))
    return tuple(dots)
