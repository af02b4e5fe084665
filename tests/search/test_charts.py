"""Charts are numbers that a template can draw: bars of equal periods, dots in rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from search.charts import HEIGHT, MOST_BARS, STEPS, WIDTH, chart, floor, step_of, time_line

NOON = datetime(2026, 11, 4, 12, 0, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)


def test_nothing_is_no_chart() -> None:
    assert chart({}) is None
    assert time_line([]) == ()


def test_a_bar_a_period_with_empty_ones_between() -> None:
    found = chart({NOON: 4, NOON + 3 * HOUR: 2}, step=HOUR)
    assert found is not None
    assert [bar.count for bar in found.bars] == [4, 0, 0, 2]
    assert [bar.height for bar in found.bars] == [HEIGHT, 0, 0, HEIGHT / 2]
    assert found.bars[0].y == 0
    assert found.most == 4
    assert found.ends == (NOON, NOON + 4 * HOUR)


def test_one_article_beside_a_thousand_is_seen() -> None:
    found = chart({NOON: 1_000, NOON + HOUR: 1}, step=HOUR)
    assert found is not None
    assert found.bars[1].height >= 2


def test_what_lies_within_a_period_is_counted_together() -> None:
    half = timedelta(minutes=30)
    found = chart({NOON: 1, NOON + half: 2, NOON + 3 * half: 4}, step=HOUR)
    assert found is not None
    assert [bar.count for bar in found.bars] == [3, 4]


def test_bounds_are_shown_also_where_nothing_was() -> None:
    found = chart({NOON: 1}, start=NOON - 2 * HOUR, end=NOON + 2 * HOUR, step=HOUR)
    assert found is not None
    assert [bar.count for bar in found.bars] == [0, 0, 1, 0]


@pytest.mark.parametrize("days", [0.01, 1, 7, 40, 400, 4_000])
def test_there_are_never_more_bars_than_have_room(days: float) -> None:
    span = timedelta(days=days)
    moments = {NOON + span * share / 500: 1 for share in range(501)}
    found = chart(moments)
    assert found is not None
    assert len(found.bars) <= MOST_BARS + 1
    assert sum(bar.count for bar in found.bars) == 501
    assert found.bars[-1].x + found.bars[-1].width <= WIDTH


def test_a_span_beyond_all_periods_has_the_longest() -> None:
    assert step_of(timedelta(days=365 * 90)) == STEPS[-1]


def test_weeks_begin_on_monday_and_days_at_midnight() -> None:
    assert floor(NOON, timedelta(days=7)) == datetime(2026, 11, 2, tzinfo=UTC)
    assert floor(NOON, timedelta(days=1)) == datetime(2026, 11, 4, tzinfo=UTC)


def test_dots_lie_by_time_and_those_too_near_get_rows() -> None:
    dots = time_line([NOON, NOON, NOON + HOUR, NOON + 2 * HOUR])
    assert [(dot.x, dot.row) for dot in dots] == [(0, 0), (0, 1), (WIDTH / 2, 0), (WIDTH, 0)]


def test_dots_of_one_moment_lie_in_the_middle() -> None:
    assert [(dot.x, dot.row) for dot in time_line([NOON, NOON])] == [
        (WIDTH / 2, 0),
        (WIDTH / 2, 1),
    ]
