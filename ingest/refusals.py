"""What it means where there is no feed: statuses, requests to wait, refused bodies."""

from __future__ import annotations

from http import HTTPStatus

from ingest.errors import FeedError
from ingest.feeds import Condition
from ingest.retry_after import LONGEST_SECONDS, SHORTEST_SECONDS

WAIT_UNSAID = 600.0
"""Seconds a host rests after 429 or 503 without Retry-After, times the failures in a row."""

_OTHER_THINGS = frozenset({"html-page", "not-a-feed", "json-error", "malformed-json"})
"""Codes of the reader that say: whatever this is, it is no feed."""


def wait_seconds(retry_after: float | None, *, failures: int) -> float:
    """How long a host rests after 429 or 503: what it asked for, within 1 minute and 7 days."""
    seconds = WAIT_UNSAID * (failures + 1) if retry_after is None else retry_after
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def status_means(status: int) -> tuple[Condition, str]:
    """Health and sentence of a feed whose server answered ``status`` (not 2xx or 304)."""
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status == HTTPStatus.NOT_FOUND:
        return "failing", f"Not found ({phrase}): the feed may have moved; we keep trying."
    if status == HTTPStatus.GONE:
        return "gone", f"Gone ({phrase}): the publisher removed this feed for good."
    if status == HTTPStatus.UNAUTHORIZED:
        return "blocked", f"The site wants a login ({phrase})."
    if status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}:
        return "blocked", f"The site refuses us ({phrase})."
    return "failing", f"The server answered {phrase}."


def condition_of(error: FeedError) -> Condition:
    """How a feed is whose body the reader refused with ``error``."""
    if error.code in {"blocked-by-challenge", "login-page"}:
        return "blocked"
    # Any other code says that reading ended early: whether this is a feed is not known.
    return "not-a-feed" if error.code in _OTHER_THINGS else "failing"


def advice(error: FeedError) -> str:
    """What went wrong and what to do about it, as one text."""
    end = "" if error.sentence.endswith((".", "!", "?")) else "."
    return f"{error.sentence}{end} {error.hint}".strip()
