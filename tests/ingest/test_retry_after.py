from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.retry_after import LONGEST_SECONDS, SHORTEST_SECONDS, parse_retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("120", 120.0),
        (" 3600 ", 3600.0),
        ("0000000000000300", 300.0),
        ("90.7", 90.0),
        ("0", SHORTEST_SECONDS),
        ("-5", SHORTEST_SECONDS),
        ("604801", LONGEST_SECONDS),
        ("99999999999999999999", LONGEST_SECONDS),
        ("9" * 1_000_000, LONGEST_SECONDS),
        ("Sun, 22 Nov 2026 13:00:00 GMT", 3600.0),
        ("Sunday, 22-Nov-26 13:00:00 GMT", 3600.0),
        ("Sun Nov 22 13:00:00 2026", 3600.0),
        ("Sun, 22 Nov 2026 13:00:00 -0000", 3600.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", SHORTEST_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_SECONDS),
        ("", None),
        ("soon", None),
        ("1e9", None),
        ("٣٠٠", None),
        ("inf", None),
        ("Sun, 99 Nov 2026 13:00:00 GMT", None),
        ("Sun, 22 Nov 99999999999 13:00:00 GMT", None),
        ("x" * 1_000_000, None),
    ],
)
def test_seconds_and_dates_become_a_wait_within_limits(raw: str, seconds: float | None) -> None:
    assert parse_retry_after(raw, now=NOW) == seconds


@given(st.text())
def test_any_text_gives_a_wait_within_limits_or_none(raw: str) -> None:
    seconds = parse_retry_after(raw, now=NOW)
    assert seconds is None or SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS
