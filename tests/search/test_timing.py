"""When an alert may go, also on the days on which clocks are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UsageError
from search.timing import Digest, Quiet, Throttle

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # changes at midnight
    "America/St_Johns",
    "Asia/Beirut",  # at midnight too
    "Asia/Kathmandu",
    "Africa/Casablanca",  # twice more, around Ramadan
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Chatham",
    "Pacific/Apia",  # left out 30 December 2011
)
CRONS = ("0 8 * * *", "30 2 * * *", "0 0 * * *", "30 0 * * *", "15 * * * *", "*/20 1-3 * * *",
         "0 8 * * 1-5", "59 23 * * *", "0 2 1 * *")  # fmt: skip
MINUTES = st.integers(0, 60 * 24 * 365 * 4)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def moments(text: str, since: str, count: int) -> list[str]:
    digest, now, found = Digest.parse(text), at(since), []
    for _ in range(count):
        now = digest.next_after(now)
        found.append(now.astimezone(digest.zone).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    "text", ["0 8 * * 1-5 @Europe/Berlin", "0 8 * * 1-5@Europe/Berlin", " 0  8 * * mon-fri@ UTC "]
)
def test_a_schedule_may_name_a_zone(text: str) -> None:
    digest = Digest.parse(text)
    friday = at("2026-11-20T12:00:00Z")
    hour = 8 if "UTC" in text else 7
    assert digest.next_after(friday) == datetime(2026, 11, 23, hour, tzinfo=UTC)


def test_without_a_zone_a_schedule_is_in_utc() -> None:
    assert moments("30 6 * * *", "2026-11-20T06:30:00Z", 1) == ["2026-11-21T06:30+00:00"]


def test_a_time_that_does_not_exist_comes_as_clocks_are_put_forward() -> None:
    assert moments("30 2 * * *@Europe/Berlin", "2026-03-28T00:00Z", 3) == [
        "2026-03-28T02:30+01:00",
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_a_time_that_exists_twice_comes_the_first_time() -> None:
    assert moments("30 2 * * *@Europe/Berlin", "2026-10-24T00:00Z", 3) == [
        "2026-10-24T02:30+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]
    assert moments("30 2 * * *@Europe/Berlin", "2026-10-25T01:00Z", 1) == ["2026-10-26T02:30+01:00"]


@given(st.sampled_from(ZONES), st.sampled_from(CRONS), MINUTES)
def test_windows_tile_time(zone: str, cron: str, minutes: int) -> None:
    digest = Digest.parse(f"{cron}@{zone}")
    first = datetime(2010, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ends = [digest.next_after(first)]
    while len(ends) < 6:
        ends.append(digest.next_after(ends[-1]))
    assert first < ends[0]
    for begin, end in pairwise(ends):
        assert begin < end
        inside = begin + (end - begin) / 2
        last = end - timedelta(microseconds=1)
        assert {digest.next_after(one) for one in (begin, inside, last)} == {end}


@given(st.sampled_from(ZONES[:-1]), st.integers(0, 1439), st.integers(0, 365 * 4))
def test_a_daily_digest_comes_once_every_day(zone: str, minute: int, day: int) -> None:
    digest = Digest.parse(f"{minute % 60} {minute // 60} * * *@{zone}")
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
    days = []
    for _ in range(5):
        now = digest.next_after(now)
        days.append(now.astimezone(digest.zone).date())
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-20T20:59:59Z", None),
        ("2026-11-20T21:00:00Z", "2026-11-21T06:00:00Z"),
        ("2026-11-21T05:59:59Z", "2026-11-21T06:00:00Z"),
        ("2026-11-21T06:00:00Z", None),
        ("2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"),  # the short night
        ("2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"),  # the long one
    ],
)
def test_quiet_hours_run_over_midnight(now: str, ends: str | None) -> None:
    quiet = Quiet.parse("22:00-07:00@Europe/Berlin")
    assert quiet.ends(at(now)) == (at(ends) if ends else None)


def test_quiet_hours_may_lie_within_a_day_and_end_with_it() -> None:
    assert Quiet.parse("13:00-14:30").ends(at("2026-11-20T13:00Z")) == at("2026-11-20T14:30Z")
    assert Quiet.parse("20:00 - 24:00").ends(at("2026-11-20T23:59Z")) == at("2026-11-21T00:00Z")
    assert Quiet.parse("20:00-24:00").ends(at("2026-11-21T00:00Z")) is None


def test_quiet_hours_that_clocks_leave_out_are_none_and_a_repeated_hour_is_quiet_once() -> None:
    quiet = Quiet.parse("02:10-02:50@Europe/Berlin")
    assert quiet.ends(at("2026-03-29T03:20+02:00")) is None
    assert quiet.ends(at("2026-10-25T02:20+02:00")) == at("2026-10-25T02:50+02:00")
    assert quiet.ends(at("2026-10-25T02:20+01:00")) is None


@given(st.sampled_from(ZONES), st.integers(0, 1439), st.integers(1, 1439), MINUTES)
def test_quiet_hours_end_when_they_say(zone: str, begin: int, length: int, minutes: int) -> None:
    end = (begin + length) % 1440
    text = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}@{zone}"
    quiet = Quiet.parse(text)
    now = datetime(2010, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ends = quiet.ends(now)
    if ends is not None:
        assert now < ends < now + timedelta(hours=50)
        assert quiet.ends(ends) is None
        assert quiet.ends(now + (ends - now) / 2) == ends


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("5/1h", 5, 3600), ("60/m", 60, 60), (" 1 / 2 d ", 1, 172_800), ("10000/7d", 10_000, 604_800)],
)
def test_a_throttle_counts_alerts_within_a_time(text: str, count: int, seconds: int) -> None:
    assert Throttle.parse(text) == Throttle(count=count, window=timedelta(seconds=seconds))


def test_a_spent_throttle_says_when_the_next_may_go() -> None:
    throttle, now = Throttle.parse("2/1h"), at("2026-11-20T12:00Z")
    slots = [now - timedelta(minutes=one) for one in (61, 40, 10)]
    assert throttle.next_after(slots[:2], now) == now
    assert throttle.next_after(slots, now) == now + timedelta(minutes=20)
    assert throttle.next_after([now + timedelta(minutes=5)] * 9, now) == now  # the clock went back


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (Digest.parse, "0 8 * *", "5 fields, not 4"),
        (Digest.parse, "0 0 8 * * *", "5 fields, not 6"),
        (Digest.parse, "61 8 * * *", "bad minute"),
        (Digest.parse, "0 8 30 2 *", "bad day-of-month"),
        (Digest.parse, "0 8 31 4 1#5L", "bad day-of-week"),
        (Digest.parse, "0 8 */31 * 1#5", "never comes"),
        (Digest.parse, "0 8 * * *@Berlin", "no time zone Berlin"),
        (Digest.parse, "0 8 * * *@Europe", "no time zone Europe"),
        (Digest.parse, "0 8 * * *@../../etc/passwd", "no time zone"),
        (Digest.parse, "0 8 * * *@localtime", "no time zone"),
        (Digest.parse, "0 8 * * *@", "no time zone"),
        (Digest.parse, "0 8 * * *\n", "printable"),
        (Digest.parse, "0," * 60 + "0 8 * * *", "at most 100"),
        (Quiet.parse, "22-7", "no quiet hours"),
        (Quiet.parse, "25:00-07:00", "no quiet hours"),
        (Quiet.parse, "24:30-07:00", "the day ends at 24:00"),
        (Quiet.parse, "07:00-07:00", "begin when they end"),
        (Quiet.parse, "00:00-24:00", "begin when they end"),
        (Quiet.parse, "22:00-07:00@Mars/Olympus", "no time zone"),
        (Throttle.parse, "5", "no limit"),
        (Throttle.parse, "5/1w", "no limit"),
        (Throttle.parse, "0/1h", "1 to 10000 alerts"),
        (Throttle.parse, "5/0s", "1 to 10000 alerts"),
        (Throttle.parse, "5/8d", "7 days"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    parse: Callable[[str], object], text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        parse(text)
    assert refused.value.hint
