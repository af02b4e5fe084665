from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.clock_offset import clock_offset_seconds, clock_sentence

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.4])
def test_a_log_time_within_the_append_is_no_difference(seconds: float) -> None:
    appended = NOW + timedelta(seconds=seconds)
    assert clock_offset_seconds(NOW, NOW + timedelta(seconds=0.4), appended=appended) == 0.0


def test_f60_a_clock_ahead_is_positive_and_one_behind_negative() -> None:
    after = NOW + timedelta(seconds=1)
    assert clock_offset_seconds(NOW, after, appended=NOW - timedelta(hours=2)) == 7200.0
    assert clock_offset_seconds(NOW, after, appended=after + timedelta(hours=2)) == -7200.0


def test_f60_only_more_than_a_minute_is_worth_a_word() -> None:
    assert clock_sentence(59.0) == clock_sentence(-60.0) == ""
    assert clock_sentence(7200.0) == "This machine's clock is 2 hours ahead of the log's."
    assert clock_sentence(-86_400.0) == "This machine's clock is 1 day behind the log's."
