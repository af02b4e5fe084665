"""When and where to poll a feed. Values in, values out; no clock is read here.

``chance`` is a random number in [0, 1): waits are spread by it, because feeds of one host that
fail together would otherwise come back together for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.feeds import Feed, FeedState
from ingest.retry_after import LONGEST_SECONDS
from ingest.settings import PollSettings

ADVERTISED_MOST = 3_600.0
"""Seconds. ttl, sy:updatePeriod and max-age are lower bounds up to an hour: blog software writes
"hourly" or "daily" whatever the feed does."""

BACKOFF_FACTOR = 4
"""A failing feed waits up to four times as long as a working one: six hours become a day. Feeds
come back from the dead, so it is never given up."""

LONGEST_GAP = 30 * 86_400.0
"""Seconds; a clock that jumped ten years must not teach a feed's rhythm."""

RETURN_FAILURES = 5
"""Failures in a row after which a followed move is undone and the user's address tried again."""


def address(feed: Feed, state: FeedState, *, url: str = "") -> str:
    """Where to poll ``feed``: the move that was believed, else ``url`` or the feed's own."""
    if state.followed_url and state.failures < RETURN_FAILURES:
        return state.followed_url
    return url or feed.url


def wants_full_fetch(state: FeedState, *, now: datetime, settings: PollSettings) -> bool:
    """Whether the next request goes without validators: weekly, or where they were caught lying."""
    if state.distrusted or state.last_full_fetch is None:
        return True
    age = now - state.last_full_fetch
    return not timedelta(0) <= age < timedelta(days=settings.full_fetch_days)


def due_in(state: FeedState, *, now: datetime, settings: PollSettings) -> float | None:
    """Seconds until ``state`` is due, whatever a clock did meanwhile; None where polling ended."""
    if state.gone_since is not None:
        return None
    if state.next_poll is None:
        return 0.0
    longest = settings.max_seconds * (BACKOFF_FACTOR if state.failures else 1)
    if state.wait_until is not None:
        longest = LONGEST_SECONDS
    return min(max((state.next_poll - now).total_seconds(), 0.0), longest)


def hold_seconds(state: FeedState, *, now: datetime) -> float:
    """How long the feed's host still asked us to stay away; 0 where it did not."""
    if state.wait_until is None:
        return 0.0
    return min(max((state.wait_until - now).total_seconds(), 0.0), LONGEST_SECONDS)


def rhythm_seconds(
    usual_gap_seconds: float,
    *,
    quiet_seconds: float,
    advertised_seconds: float,
    settings: PollSettings,
) -> float:
    """The time between polls that fits a feed.

    Half its usual gap; longer as a silence grows, but a silent night costs no late morning. Not
    less than feed and host ask for, up to an hour.
    """
    wanted = usual_gap_seconds / 2 or settings.default_seconds
    if usual_gap_seconds:
        wanted = max(wanted, min(quiet_seconds, LONGEST_GAP) / 8)
    wanted = max(wanted, min(advertised_seconds, ADVERTISED_MOST))
    return min(max(wanted, settings.min_seconds), settings.max_seconds)


def spread(seconds: float, *, chance: float, settings: PollSettings) -> float:
    """``seconds``, up to a quarter longer, but not above the longest time between polls."""
    return min(seconds * (1 + chance / 4), max(settings.max_seconds, settings.min_seconds))


def backoff_seconds(state: FeedState, *, chance: float, settings: PollSettings) -> float:
    """The wait after one more failure of ``state``: linear, widely spread.

    Linear because exponential back-off on a long interval loses days (Media Cloud's experience).
    """
    base = state.interval_seconds or settings.default_seconds
    longest = settings.max_seconds * BACKOFF_FACTOR
    seconds = min(base * (state.failures + 1), longest / 1.25) * (0.75 + chance / 2)
    return max(seconds, settings.min_seconds)
