"""F19: ancient, future and impossible dates give the moment they name, or none; never a crash."""

from __future__ import annotations

import pytest

from ingest.dates import parse_date

IMPOSSIBLE = (
    "Sat, 31 Jun 2026 10:00:00 GMT",
    "2025-02-30",
    "2025-02-30T10:00:00Z",
    "2021-13-45",
    "Mon, 32 Jan 2026 10:00:00 GMT",
    "0000-00-00T00:00:00Z",
    "Mon, 2 Mar 2026 10:00:00 +9999",
    "Mon, 2 Mar 2026 10:60:00 GMT",
    "9999-12-31T23:59:59-14:00",
    "99999999999999999999",
    "9" * 1_000_000,
    "2026-03-02T10:00:00." + "1" * 200,
    "-1",
    "1e400",
    "NaN",
)

NAMED = [
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ("Sun, 09 Feb 1806 23:59:45 +0000", "1806-02-09T23:59:45+00:00"),
    ("2026-03-02T24:00:00Z", "2026-03-03T00:00:00+00:00"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
    ("1731312000", "2024-11-11T08:00:00+00:00"),
]


@pytest.mark.parametrize("raw", IMPOSSIBLE)
def test_f19_impossible_date_is_none(raw: str) -> None:
    assert parse_date(raw) is None


@pytest.mark.parametrize(("raw", "moment"), NAMED)
def test_f19_extreme_date_names_its_moment(raw: str, moment: str) -> None:
    found = parse_date(raw)
    assert found is not None
    assert found.isoformat() == moment
