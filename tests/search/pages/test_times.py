"""Times are written in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from search.pages.times import Times, is_zone

NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


def test_today_is_an_hour_and_another_day_is_named() -> None:
    times = Times("Asia/Tokyo", now=NOW)
    assert text(times, NOW) == "13:30"
    assert text(times, NOW - timedelta(days=1)) == "22 Nov, 13:30"
    assert text(times, NOW - timedelta(days=365)) == "23 Nov 2025, 13:30"


def test_utc_says_so() -> None:
    assert text(Times("UTC", now=NOW), NOW) == "04:30 UTC"


def test_a_text_is_a_time_and_none_is_none() -> None:
    found = Times("UTC", now=NOW).moment("2026-11-23T04:30:00.000Z")
    assert found is not None
    assert (found.iso, found.text) == ("2026-11-23T04:30:00Z", "04:30 UTC")
    assert Times("UTC").moment(None) is None


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "a\x00b", "/etc", "Europe"])
def test_what_is_no_zone_is_utc(name: str) -> None:
    assert not is_zone(name)
    assert Times(name).name == "UTC"


def test_periods_are_hours_or_days() -> None:
    times = Times("UTC", now=NOW)
    assert times.span(NOW, NOW + timedelta(hours=1)) == "23 Nov, 04:30 to 05:30"
    assert times.span(NOW, NOW + timedelta(days=1)) == "23 Nov 2026"
    assert times.span(NOW, NOW + timedelta(days=7)) == "23 Nov 2026, 7 days"


def text(times: Times, at: datetime) -> str:
    found = times.moment(at)
    assert found is not None
    return found.text
