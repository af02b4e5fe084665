"""How often somebody may ask."""

from __future__ import annotations

from search.rate_limits import MAX_KEPT, RateLimit


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asked(limit: RateLimit, name: str, times: int) -> int:
    """How many of ``times`` requests were let through."""
    through = 0
    for _ in range(times):
        if limit.wait_seconds(name) == 0:
            limit.count(name)
            through += 1
    return through


def test_a_burst_goes_through_and_then_as_many_as_time_allows() -> None:
    clock = Seconds()
    limit = RateLimit(per_minute=60, burst=5, clock=clock)
    assert asked(limit, "a", 9) == 5
    assert 0 < limit.wait_seconds("a") <= 1
    clock.now += 3
    assert asked(limit, "a", 9) == 3
    clock.now += 3600
    assert asked(limit, "a", 9) == 5


def test_one_that_asks_too_often_hinders_no_other() -> None:
    limit = RateLimit(per_minute=60, burst=5, clock=Seconds())
    asked(limit, "a", 9)
    assert asked(limit, "b", 9) == 5


def test_what_is_kept_has_a_limit() -> None:
    limit = RateLimit(per_minute=60, burst=1, clock=Seconds())
    limit.count("first")
    for number in range(MAX_KEPT):
        limit.count(str(number))
    assert limit.wait_seconds("first") == 0
    assert limit.wait_seconds(str(MAX_KEPT - 1)) > 0
