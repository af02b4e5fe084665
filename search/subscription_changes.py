"""What can be said of a subscription when it is made or changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from search.subscriptions import Subscription
from search.timing import Digest, Quiet, Throttle


class Options(TypedDict, total=False):
    """What else a subscription may have; what is absent or None stays, an empty text ends it."""

    digest: str | None
    quiet: str | None
    throttle: str | None
    every_article: bool | None
    story_updates: bool | None
    paused: bool | None


class Changes(Options, total=False):
    """What to change of a subscription."""

    name: str | None
    query: str | None
    to: Sequence[str] | None


def check_times(one: Subscription) -> None:
    """Raises UsageError where one of them cannot be read."""
    if one.digest:
        Digest.parse(one.digest)
    if one.quiet:
        Quiet.parse(one.quiet)
    if one.throttle:
        Throttle.parse(one.throttle)
