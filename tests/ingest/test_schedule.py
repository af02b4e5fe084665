from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.feeds import FeedState, make_feed
from ingest.outcomes import (
    Answer,
    asked_to_wait,
    failed,
    gone,
    held_back,
    succeeded,
)
from ingest.refusals import status_means, wait_seconds
from ingest.retry_after import LONGEST_SECONDS, SHORTEST_SECONDS
from ingest.schedule import (
    BACKOFF_FACTOR,
    address,
    due_in,
    hold_seconds,
    rhythm_seconds,
    spread,
    wants_full_fetch,
)
from ingest.settings import PollSettings

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTINGS = PollSettings()
FEED = make_feed("https://harbour.example/rss", added=NOW)
NEW = FeedState(feed_id=FEED.id)

chances = st.floats(0, 1, exclude_max=True)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def after(state: FeedState, *, chance: float = 0.0, **answer: object) -> FeedState:
    found = Answer(**{"at": NOW} | answer)  # type: ignore[arg-type]
    return succeeded(state, found, settings=SETTINGS, chance=chance)


def fail(state: FeedState, *, at: datetime = NOW, chance: float = 0.5) -> FeedState:
    return failed(state, at=at, sentence="Timed out.", settings=SETTINGS, chance=chance)


def live(state: FeedState, *, gap_minutes: float, polls: int) -> FeedState:
    """``state`` after so many polls of a feed with one new entry every ``gap_minutes``."""
    at = state.last_poll or NOW
    told = at
    for _ in range(polls):
        assert state.next_poll is not None
        at = state.next_poll
        new = int((at - told) / timedelta(minutes=gap_minutes))
        told += new * timedelta(minutes=gap_minutes)
        state = after(state, at=at, entries=30, new=new)
    return state


def test_an_unknown_feed_is_polled_at_the_default_interval() -> None:
    state = after(NEW, entries=1, new=1)
    assert state.interval_seconds == SETTINGS.default_seconds
    assert state.next_poll == NOW + timedelta(seconds=SETTINGS.default_seconds)
    assert (state.poll, state.failures, state.state) == (1, 0, "ok")


def test_the_first_poll_takes_the_rhythm_from_the_dates() -> None:
    state = after(NEW, entries=20, new=20, rhythm_seconds=1_200.0, newest=NOW)
    assert state.usual_gap_seconds == 1_200.0
    assert state.interval_seconds == 600.0


def test_a_feed_that_speeds_up_is_polled_more_often() -> None:
    slow = after(NEW, entries=20, new=20, rhythm_seconds=7_200.0, newest=NOW)
    fast = live(slow, gap_minutes=6, polls=40)
    assert fast.interval_seconds < 300
    assert fast.usual_gap_seconds == pytest.approx(360, rel=0.5)


def test_a_feed_that_slows_down_is_polled_less_often() -> None:
    fast = after(NEW, entries=20, new=20, rhythm_seconds=300.0, newest=NOW)
    slow = live(fast, gap_minutes=600, polls=80)
    assert slow.interval_seconds > 3_600


def test_a_silent_night_costs_no_late_morning() -> None:
    busy = rhythm_seconds(
        600.0, quiet_seconds=8 * 3_600.0, advertised_seconds=0.0, settings=SETTINGS
    )
    assert busy == 3_600.0


def test_what_feed_and_host_ask_for_is_a_lower_bound_up_to_an_hour() -> None:
    seconds = [
        rhythm_seconds(600.0, quiet_seconds=0.0, advertised_seconds=asked, settings=SETTINGS)
        for asked in (0.0, 1_800.0, 31_536_000.0)
    ]
    assert seconds == [300.0, 1_800.0, 3_600.0]


def test_an_asked_interval_is_remembered_while_the_feed_is_unmodified() -> None:
    state = after(
        NEW, entries=5, new=5, rhythm_seconds=600.0, newest=NOW, advertised_seconds=1800.0
    )
    assert after(state, advertised_seconds=state.advertised_seconds, finished=False).poll == 1
    assert state.interval_seconds == 1_800.0


@given(gap=st.floats(0, 1e12), quiet=st.floats(-1e12, 1e12), asked=st.floats(0, 1e12))
def test_the_interval_always_lies_within_the_settings(
    gap: float, quiet: float, asked: float
) -> None:
    seconds = rhythm_seconds(gap, quiet_seconds=quiet, advertised_seconds=asked, settings=SETTINGS)
    assert SETTINGS.min_seconds <= seconds <= SETTINGS.max_seconds


@given(seconds=st.floats(120, 21_600), chance=chances)
def test_a_poll_comes_never_early_and_at_most_a_quarter_late(seconds: float, chance: float) -> None:
    found = spread(seconds, chance=chance, settings=SETTINGS)
    assert seconds <= found <= min(seconds * 1.25, SETTINGS.max_seconds)


def test_failures_back_off_in_a_line_and_never_end() -> None:
    state = after(NEW, entries=1, new=1)
    waits = []
    for _ in range(200):
        state = fail(state)
        assert state.next_poll is not None
        waits.append((state.next_poll - NOW).total_seconds())
    assert waits[:3] == [900.0, 1_800.0, 2_700.0]
    assert waits == sorted(waits)
    assert waits[-1] <= SETTINGS.max_seconds * BACKOFF_FACTOR
    assert (state.state, state.failures) == ("failing", 200)


def test_feeds_that_failed_together_come_back_apart() -> None:
    state = after(NEW, entries=1, new=1)
    times = sorted(
        due for number in range(100) if (due := fail(state, chance=number / 100).next_poll)
    )
    assert times[-1] - times[0] > timedelta(minutes=5)
    assert max(later - earlier for earlier, later in pairwise(times)) < timedelta(minutes=1)


def test_success_ends_the_back_off() -> None:
    state = after(fail(fail(NEW)), entries=1, new=1)
    assert (state.failures, state.state) == (0, "ok")
    assert state.last_ok == NOW


def test_a_gone_feed_is_never_due() -> None:
    state = gone(after(NEW, entries=1, new=1), at=NOW)
    assert due_in(state, now=NOW + timedelta(days=9_999), settings=SETTINGS) is None
    assert state.sentence.startswith("Gone since 02 March 2026")
    assert state.gone_since == NOW


def test_a_permanent_move_is_followed_after_three_polls_and_a_day() -> None:
    there = "https://quay.example/rss"
    state = NEW
    for hours in (0, 6, 12, 18):
        state = after(state, at=NOW + timedelta(hours=hours), moved_to=there)
        assert address(FEED, state) == FEED.url
    state = after(state, at=NOW + timedelta(hours=25), moved_to=there)
    assert address(FEED, state) == there
    assert there in state.sentence


def test_a_move_that_changes_or_ends_is_not_followed() -> None:
    state = NEW
    for day, there in enumerate(
        ["https://a.example/", "https://b.example/", "", "https://a.example/"]
    ):
        state = after(state, at=NOW + timedelta(days=2 * day), moved_to=there)
    assert state.moved_polls == 1
    assert address(FEED, state) == FEED.url


def test_a_move_that_breaks_is_undone() -> None:
    state = FeedState(feed_id=FEED.id, followed_url="https://quay.example/rss")
    for _ in range(4):
        state = fail(state)
    assert address(FEED, state) == "https://quay.example/rss"
    assert address(FEED, fail(state)) == FEED.url


def test_a_slow_answer_is_said() -> None:
    state = after(NEW, entries=1, new=1, elapsed_seconds=14.0)
    assert (state.state, state.sentence) == (
        "slow",
        "Answers slowly: the last poll took 14 seconds.",
    )


def test_validators_are_dropped_when_the_answer_has_none() -> None:
    state = after(NEW, etag='W/"1"', last_modified="Mon", entries=1, new=1)
    assert (state.etag, state.last_modified) == ('W/"1"', "Mon")
    assert after(state, entries=1).etag == ""


def test_a_whole_fetch_is_wanted_first_then_weekly() -> None:
    assert wants_full_fetch(NEW, now=NOW, settings=SETTINGS)
    state = after(NEW, entries=1, new=1, full=True)
    assert not wants_full_fetch(state, now=NOW + timedelta(days=6.9), settings=SETTINGS)
    assert wants_full_fetch(state, now=NOW + timedelta(days=7), settings=SETTINGS)


def test_a_feed_whose_validators_hid_news_is_always_fetched_whole() -> None:
    state = after(NEW, entries=9, new=3, missed=3, full=True)
    assert "3 entries" in state.sentence
    assert wants_full_fetch(state, now=NOW, settings=SETTINGS)
    assert after(state, entries=9).distrusted


@pytest.mark.parametrize(
    ("asked", "failures", "seconds"),
    [(None, 0, 600.0), (None, 3, 2_400.0), (5.0, 0, 60.0), (90.0, 9, 90.0), (1e9, 0, 604_800.0)],
)
def test_a_host_gets_the_rest_it_asked_for(
    asked: float | None, failures: int, seconds: float
) -> None:
    assert wait_seconds(asked, failures=failures) == seconds


@given(
    seconds=st.floats(SHORTEST_SECONDS, LONGEST_SECONDS), chance=chances, at=moments, later=moments
)
def test_no_feed_of_a_resting_host_is_due_too_early(
    seconds: float, chance: float, at: datetime, later: datetime
) -> None:
    for state in (
        asked_to_wait(NEW, at=at, seconds=seconds, chance=chance),
        held_back(NEW, at=at, seconds=seconds, chance=chance),
    ):
        due = due_in(state, now=at, settings=SETTINGS)
        assert due is not None
        assert min(seconds, LONGEST_SECONDS - 61) < due <= LONGEST_SECONDS
        assert 0 <= hold_seconds(state, now=later) <= LONGEST_SECONDS
        assert "asked us to wait until" in state.sentence


def test_waiting_for_another_feeds_host_is_no_failure_of_this_one() -> None:
    assert held_back(NEW, at=NOW, seconds=90.0, chance=0.0).failures == 0
    assert asked_to_wait(NEW, at=NOW, seconds=90.0, chance=0.0).failures == 1


@given(then=moments, now=moments, chance=chances, count=st.integers(0, 50))
def test_whatever_a_clock_does_a_feed_is_due_within_its_longest_wait(
    then: datetime, now: datetime, chance: float, count: int
) -> None:
    state = after(NEW, at=then, entries=1, new=1, chance=chance)
    due = due_in(state, now=now, settings=SETTINGS)
    assert due is not None
    assert 0 <= due <= SETTINGS.max_seconds
    for _ in range(count):
        state = fail(state, at=then, chance=chance)
    due = due_in(state, now=now, settings=SETTINGS)
    assert due is not None
    assert 0 <= due <= SETTINGS.max_seconds * BACKOFF_FACTOR


@given(st.lists(moments, min_size=1, max_size=20))
def test_a_feed_grows_at_most_one_day_older_a_poll(jumps: list[datetime]) -> None:
    state = NEW
    for at in jumps:
        before = state.day
        state = after(state, at=at, entries=1)
        assert before <= state.day <= before + 1


def test_a_feed_polled_all_day_grows_one_day_older() -> None:
    state = NEW
    for hour in range(24 * 10 + 1):
        state = after(state, at=NOW + timedelta(hours=hour), entries=1)
    assert state.day == 10


@pytest.mark.parametrize(
    ("status", "condition", "says"),
    [
        (404, "failing", "Not found (404 Not Found)"),
        (401, "blocked", "wants a login"),
        (403, "blocked", "refuses us (403 Forbidden)"),
        (451, "blocked", "refuses us"),
        (500, "failing", "500 Internal Server Error"),
        (799, "failing", "answered 799."),
    ],
)
def test_a_status_is_said_in_a_sentence(status: int, condition: str, says: str) -> None:
    found, sentence = status_means(status)
    assert found == condition
    assert says in sentence
