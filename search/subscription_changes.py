"""What can be said of a subscription when it is made or changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypedDict

from processors.query import parse
from processors.query_advice import check_topics
from search.subscriptions import Subscription
from search.timing import Digest, Quiet, Throttle
from search.watch_queries import check_watch, is_watch


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


def check_query(query: str, *, topics: Collection[str] | None) -> None:
    """Raises QueryError where nobody can subscribe to ``query``; ``topics`` are those there are."""
    if is_watch(query) and not (query := check_watch(query)):
        return
    found = parse(query, where="subscription")
    if topics is not None:
        check_topics(found, topics)
