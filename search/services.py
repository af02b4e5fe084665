"""What the routes and the pages work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingest.feed_store import FeedStore
from ingest.log import Log
from ingest.quarantine import Quarantine
from processors.topic import Topic
from search.account_store import AccountStore
from search.index import Index
from search.live import Live
from search.marks import MarkStore
from search.preview import preview
from search.subscription_store import SubscriptionStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API works with; the shell that owns the data folder puts it together.

    Attributes:
        index: A function, since ``reindex`` switches to a new one while the API runs.
        changed: Told the name of a list ("feeds", "subscriptions") that was written.
        retry_alert: Gives a failed alert another attempt, with the same id.
        send_test: Sends a test alert; one row a target with its error.
        ready: The sentence of what is not ready yet; empty when all is.
        metrics: The Prometheus text.
        live: Streams of alerts as they happen.
        marks: What readers note about articles.
        erase: Erases an article for a reason, by an account; the trace that stays.
    """

    log: Log
    feeds: FeedStore
    subscriptions: SubscriptionStore
    accounts: AccountStore
    quarantine: Quarantine
    topics: Sequence[Topic]
    index: Callable[[], Index]
    changed: Callable[[str], None]
    retry_alert: Callable[[str], Awaitable[None]]
    send_test: Callable[[str], Awaitable[list[dict[str, Any]]]]
    ready: Callable[[], str]
    metrics: Callable[[], bytes]
    live: Live
    marks: MarkStore
    erase: Callable[[str, str, str], Awaitable[dict[str, Any]]]

    def preview(self, query: str, days: int, *, every_article: bool = False) -> dict[str, Any]:
        """What a subscription to ``query`` would have sent, see ``search.preview``."""
        return preview(
            self.index(),
            query,
            days=days,
            now=datetime.now(UTC),
            topics={one.id for one in self.topics},
            every_article=every_article,
        )
