"""Waits double, from a first to a last."""

from __future__ import annotations

from processors.back_off import FIRST_SECONDS, LAST_SECONDS, back_off


def test_waits_double_until_the_longest() -> None:
    delays = [back_off(0.0)]
    while delays[-1] < LAST_SECONDS:
        delays.append(back_off(delays[-1]))
    assert delays == [FIRST_SECONDS, 1.0, 2.0, 4.0, 8.0, 16.0, LAST_SECONDS]
    assert back_off(LAST_SECONDS) == LAST_SECONDS
