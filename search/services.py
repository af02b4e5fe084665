"""What the routes and the pages work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingest.feed_check import CheckReport
from ingest.feed_store import FeedStore
from ingest.log import Log
from ingest.quarantine import Quarantine
from processors.topic import Topic
from search.account_store import AccountStore
from search.channel_store import ChannelStore
from search.index import Index
from search.live import Live
from search.marks import MarkStore
from search.preview import preview
from search.secrets import Vault
from search.subscription_store import SubscriptionStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API works with; the shell that owns the data folder puts it together.

    Attributes:
        index: A function, since ``reindex`` switches to a new one while the API runs.
        check_feed: What a poll of an address would do; of a web page, the feeds that it names.
        changed: Told the name of a list ("feeds", "subscriptions") that was written.
        retry_alert: Gives a failed alert another attempt, with the same id. The id of what was
            tried, which may be its digest; empty where another process tries it.
        retry_alerts: The same for many; they are on their way then.
        mute, unmute: Told a subscription's id and a story's: of which it has heard enough.
        send_test: Sends a test alert; one row a target with its error. No rows where another
            process sends it: the list of alerts says what came of it.
        test_channel: Sends one to a channel, as it stands in targets.
        ready: The sentence of what is not ready yet; empty when all is.
        metrics: The Prometheus text.
        live: Streams of alerts as they happen.
        marks: What readers note about articles.
        erase: Erases an article for a reason, by an account; the trace that stays.
        zone: The time zone of pages for readers whose browser tells none.
    """

    log: Log
    feeds: FeedStore
    subscriptions: SubscriptionStore
    channels: ChannelStore
    vault: Vault
    accounts: AccountStore
    quarantine: Quarantine
    topics: Sequence[Topic]
    index: Callable[[], Index]
    changed: Callable[[str], None]
    check_feed: Callable[[str], Awaitable[CheckReport]]
    retry_alert: Callable[[str], Awaitable[str]]
    retry_alerts: Callable[[Sequence[str]], Awaitable[None]]
    mute: Callable[[str, str], Awaitable[None]]
    unmute: Callable[[str, str], Awaitable[None]]
    send_test: Callable[[str], Awaitable[list[dict[str, Any]]]]
    test_channel: Callable[..., Awaitable[dict[str, Any]]]
    ready: Callable[[], str]
    metrics: Callable[[], bytes]
    live: Live
    marks: MarkStore
    erase: Callable[[str, str, str], Awaitable[dict[str, Any]]]
    zone: str

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
