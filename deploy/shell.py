"""What the API, the command line and the doctor work with: the same over either log and index."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy import upkeep
from deploy.assembly import Parts
from deploy.metrics import metrics_text
from ingest.feed_check import CheckReport
from ingest.lag import group_lag
from processors.topic import Topic
from processors.worker import Counts
from search.channel_health import all_endpoints, state_of
from search.erasing import erasure_row
from search.live import Live
from search.marks import MarkStore
from search.services import Services
from search.subscription_store import SubscriptionStore
from search.views import all_alerts


class Shell(ABC):
    """Everything over one log and one index, whoever runs the stages."""

    def __init__(self, parts: Parts, *, topics: Sequence[Topic]) -> None:
        self.settings = parts.settings
        self.folder = parts.folder
        self.log = parts.log
        self.index = parts.index
        self.topics = tuple(topics)
        self.quarantine = parts.quarantine
        self.feeds = parts.feeds
        self.polling = parts.polling
        self.indexer = parts.indexer
        self.sender = parts.sender
        self.erasing = parts.erasing
        self.vault = parts.vault
        self.live = Live(parts.log)
        self.loop = asyncio.get_running_loop()
        self.accounts = parts.accounts
        self.subscriptions = SubscriptionStore(
            parts.log,
            secrets=parts.vault,
            guard=parts.guard,
            topics={one.id for one in topics},
            targets=parts.targets,
            claim_days=parts.settings.alerts.claim_days,
        )

    @property
    def counts(self) -> Counts | None:
        """What the register decided since the start; None where it runs elsewhere."""
        return None

    @abstractmethod
    def changed(self, name: str) -> None:
        """Tell the stages that the list ``name`` was written."""

    @abstractmethod
    async def retry_alert(self, alert_id: str) -> str:
        """Give an alert that was not delivered another attempt; the id of what was tried.

        That is empty where the owner of the alert was asked for it.
        """

    @abstractmethod
    async def retry_alerts(self, alert_ids: Sequence[str]) -> None:
        """Give alerts that were not delivered another attempt each."""

    @abstractmethod
    async def send_test(self, subscription_id: str) -> list[dict[str, Any]]:
        """Send a test alert; a row a target, none where the owner of the subscription sends it."""

    @abstractmethod
    async def mute(self, subscription_id: str, story_id: str) -> None:
        """Have a subscription hear no more of a story."""

    @abstractmethod
    async def unmute(self, subscription_id: str, story_id: str) -> None:
        """Have a subscription hear of a story again."""

    @abstractmethod
    async def poll_again(self, feed_id: str) -> str:
        """Have a feed polled now; the sentence that says so."""

    @abstractmethod
    async def carry_out_erasures(self) -> None:
        """Have the erasures that were asked for carried out."""

    @abstractmethod
    def missing(self) -> str:
        """The sentence of what does not work now; empty when all does."""

    @abstractmethod
    def alerts_behind(self) -> int:
        """Records that the alert stage has not handled durably."""

    def services(self) -> Services:
        """What the API works with."""
        return Services(
            log=self.log,
            feeds=self.feeds,
            subscriptions=self.subscriptions,
            channels=self.subscriptions.channels,
            vault=self.vault,
            accounts=self.accounts,
            quarantine=self.quarantine,
            topics=self.topics,
            index=lambda: self.index,
            changed=self.changed,
            check_feed=lambda url: self.check_feed(url=url, file=None),
            retry_alert=self.retry_alert,
            retry_alerts=self.retry_alerts,
            send_test=self.send_test,
            mute=self.mute,
            unmute=self.unmute,
            test_channel=self.sender.send_channel_test,
            ready=self.missing,
            metrics=lambda: metrics_text(self),
            live=self.live,
            marks=MarkStore(self.log),
            erase=self.erase,
            zone=self.settings.web.zone,
        )

    async def erase(self, article_id: str, reason: str, by: str) -> dict[str, Any]:
        """Erase an article everywhere; the trace that stays. Raises as ``Erasing.request``."""
        made = await asyncio.to_thread(self.erasing.request, article_id, reason=reason, by=by)
        await self.carry_out_erasures()
        known = await asyncio.to_thread(self.erasing.known)
        return erasure_row(known.get(made.article_id) or made, known)

    def lags(self) -> dict[str, Callable[[], int]]:
        """By stage: how many records of its input are not durably done."""
        return {
            "tag": lambda: group_lag(self.log, "tag", "articles"),
            "group": lambda: group_lag(self.log, "register", "tagged"),
            "index": self.indexer.lag,
            "alert": self.alerts_behind,
        }

    def alert_counts(self) -> Counter[str]:
        """How many alerts are in each state."""
        return Counter(str(one.state) for one in all_alerts(self.log))

    def receiver_counts(self) -> Counter[str]:
        """How many receivers are in each state."""
        return Counter(state_of(one) for one in all_endpoints(self.log))

    def replay(self, stage: str, *, since: datetime) -> Iterator[tuple[int, int]]:
        """Run a stage again from ``since`` on; never alerts anybody."""
        if stage == "index":
            return self.indexer.refill(since)
        return upkeep.replayed(self.log, "tag" if stage == "tag" else "group", since=since)

    async def check_feed(self, *, url: str, file: Path | None) -> CheckReport:
        """What a poll of a URL or a file would do."""
        return await upkeep.checked(self.polling, url=url, file=file)

    async def retry_quarantined(self, row_id: str) -> str:
        """Process a row again: a feed is polled at once, a record goes through its stage."""
        row = await asyncio.to_thread(self.quarantine.get, row_id)
        if row.stage != "poll":
            return await asyncio.to_thread(upkeep.retried, self.log, self.quarantine, row_id)
        sentence = await self.poll_again(row.key)
        await asyncio.to_thread(self.quarantine.mark_retried, row_id)
        return sentence
