"""Which names are ours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from search.elastic_names import Names

NAMES = Names("wirewatch")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("wirewatch-articles-2026.11", 1),
        ("wirewatch-articles-2026.11-g2", 2),
        ("wirewatch-articles-2026.11-g41", 41),
        ("wirewatch-articles-backup", 0),
        ("wirewatch-articles-2026.11-copy", 0),
        ("wirewatch-articles-test-articles-2026.11", 0),
        ("2026.11", 0),
        ("wirewatch-checkpoints", 0),
    ],
)
def test_the_generation_stands_in_the_name(name: str, number: int) -> None:
    assert NAMES.number_of(name) == number


def test_a_month_is_that_of_universal_time() -> None:
    new_year = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert NAMES.month(new_year, 1) == "wirewatch-articles-2025.12"
    assert NAMES.month(new_year, 3) == "wirewatch-articles-2025.12-g3"
    assert NAMES.number_of(NAMES.month(new_year, 3)) == 3
