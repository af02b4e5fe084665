"""What may go at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.alert_state import Alert, Attempt
from search.pace import Pace, timing_of
from search.subscriptions import Subscription
from search.timing import Hold, Throttle, Timing
from tests.alerting import START

SUBSCRIPTION = Subscription(id="s", name="n", query="q", to=("stdout:",), created=START)
ALERT = Alert(
    alert_id="x", subscription="s", subscription_name="n", article_id="a", story_id="a",
    title="t", created=START,
)  # fmt: skip
HOUR = timedelta(hours=1)


def timed(**times: Any) -> Subscription:
    return replace(SUBSCRIPTION, **times)


def until(pace: Pace, one: Subscription, now: datetime) -> datetime | None:
    hold = pace.hold(one, now)
    return hold.until if hold else None


def test_without_any_limit_nothing_is_held_or_remembered_for_long() -> None:
    pace = Pace(storm=None)
    assert {pace.hold(SUBSCRIPTION, START + n * HOUR) for n in range(100)} == {None}
    assert pace.longest([SUBSCRIPTION]) == timedelta()


def test_the_longer_of_two_limits_holds() -> None:
    pace = Pace(storm=Throttle.parse("1/1m"))
    one = timed(throttle="1/1h")
    assert pace.hold(one, START) is None
    assert pace.hold(one, START) == Hold(why="throttle", until=START + HOUR)
    assert pace.hold(timed(id="other"), START) is None  # another's limit is its own
    assert pace.hold(timed(id="other"), START) == Hold(
        why="storm", until=START + timedelta(minutes=1)
    )
    assert pace.longest([one, timed(id="other")]) == HOUR


def test_what_is_held_by_a_limit_is_not_released_in_quiet_hours() -> None:
    pace = Pace(storm=None)
    one = timed(throttle="1/1h", quiet="12:30-14:00")
    assert pace.hold(one, START) is None
    assert until(pace, one, START + HOUR / 4) == START + 2 * HOUR
    assert until(pace, one, START + HOUR) == START + 2 * HOUR


def test_an_edit_forgets_what_was_held_not_what_went() -> None:
    pace = Pace(storm=None)
    one = timed(throttle="1/2h")
    assert until(pace, one, START) is None
    assert until(pace, one, START) == START + 2 * HOUR
    assert until(pace, replace(one, version=2, throttle="1/1h"), START) == START + HOUR


def test_nobody_waits_longer_than_the_limit_says_where_the_clock_is_put_back() -> None:
    pace = Pace(storm=None)
    one = timed(throttle="1/10m")
    assert until(pace, one, START) is None
    assert until(pace, one, START) == START + HOUR / 6
    back = START - HOUR
    assert until(pace, one, back) is None
    assert until(pace, one, back) == back + HOUR / 6


def test_in_a_hurry_nothing_is_held() -> None:
    pace = Pace(storm=Throttle.parse("1/1m"))
    pace.is_hurried = True
    one = timed(mode="digest", digest="0 8 * * *")
    assert {pace.hold(one, START) for _ in range(3)} == {None}


def test_what_went_is_recalled_and_forgotten() -> None:
    tried = (Attempt(at=START, to="stdout:"),)
    stored = [
        replace(ALERT, state="sent", attempts=tried, created=START - 9 * HOUR),
        replace(ALERT, state="held", held_for="throttle", next_attempt=START + HOUR),
        replace(ALERT, state="held", held_for="throttle", next_attempt=START + HOUR),
        replace(ALERT, state="sent", digest="d"),
        replace(ALERT, state="muted"),
        replace(ALERT, state="held", held_for="digest", next_attempt=START),
    ]
    one = timed(throttle="2/1h")
    pace = Pace(storm=None)
    pace.recall(stored)
    assert until(pace, one, START) is None
    assert until(pace, one, START) == START + HOUR
    for forget in (pace.clear, lambda: pace.forget(["s", "unknown"])):
        forget()
        assert until(pace, one, START) is None


def test_what_cannot_be_read_holds_nothing() -> None:
    one = timed(quiet="22:00-07:00@Atlantis/Capital", throttle="5/1h")
    storm = Throttle.parse("3/1m")
    assert timing_of(one, storm=storm) == Timing(storm=storm)


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 5))
def test_no_window_has_more_messages_than_the_limit(gaps: list[int], count: int) -> None:
    throttle = Throttle(count=count, window=timedelta(minutes=10))
    pace = Pace(storm=throttle)
    now, messages = START, set()
    singles = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        hold = pace.hold(SUBSCRIPTION, now)
        if hold is None:
            singles.append(now)
        else:
            assert now < hold.until <= now + throttle.window
            messages.add(hold.until)  # all of one moment go as one
    went = sorted([*singles, *messages])
    for first in went:
        assert len([one for one in went if first <= one < first + throttle.window]) <= count


@pytest.mark.parametrize("why", ["digest", "quiet", "throttle", "storm"])
def test_a_hold_whose_reason_is_gone_is_due(why: Any) -> None:
    hold = Hold(why=why, until=START + HOUR)
    assert Timing().due(hold, created=START, now=START + HOUR / 2) == START + HOUR / 2
