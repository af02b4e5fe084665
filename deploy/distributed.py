"""The distributed shell: the API and the command line over Kafka and Elasticsearch.

The stages run in processes of their own (``wirewatch stage``); what only the owner of a shard may
do is asked of it through the topic ``requests``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from deploy.assembly import Parts, refuse_odd_pairs
from deploy.folder import DataFolder
from deploy.settings import Settings
from deploy.shell import Shell
from ingest.errors import NotFoundError, UsageError, WirewatchError
from ingest.requests import Request, RequestKind, request_record
from ingest.wire import decode
from processors.topic_source import TopicSource, read_topics
from search.alert_state import ALERT, TOPIC, Alert
from search.cursors import alert_lag
from search.erased_alerts import refuse_to_repeat
from search.subscriptions import shard_of


class Distributed(Shell):
    """Everything over the log and the index that the settings name, but no stage."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings, folder: DataFolder) -> AsyncIterator[Distributed]:
        """Reach both servers.

        Raises:
            UnavailableError: one of them does not answer.
            NotFoundError: ``wirewatch setup`` was not run.
        """
        refuse_odd_pairs(settings)
        async with contextlib.AsyncExitStack() as stack:
            parts = Parts(settings, folder, stack)
            source = TopicSource(parts.log)
            source.current()
            yield cls(parts, topics=read_topics(source.files))

    def changed(self, name: str) -> None:
        """Nothing: owners of shards read the list ``name`` as it is written."""

    async def retry_alert(self, alert_id: str) -> str:
        """Ask the owner of the alert for another attempt; empty, since none was made yet.

        Raises:
            NotFoundError: there is no such alert.
            UsageError: it was delivered already.
        """
        record = await asyncio.to_thread(self.log.table(TOPIC).get, ALERT + alert_id)
        if record is None:
            raise NotFoundError(f"there is no alert {alert_id}", hint="See: wirewatch alerts list")
        alert = decode(Alert, record.value or b"")
        refuse_to_repeat(alert)
        await self._ask("retry", alert_id, shard=shard_of(alert.subscription))
        return ""

    async def retry_alerts(self, alert_ids: Sequence[str]) -> None:
        """Ask the owner of each for another attempt."""
        for alert_id in alert_ids:
            with contextlib.suppress(UsageError):  # delivered meanwhile
                await self.retry_alert(alert_id)

    async def send_test(self, subscription_id: str) -> list[dict[str, Any]]:
        """Ask the owner of the subscription for it; no rows, its outcome will be listed."""
        await self._ask("test", subscription_id, shard=shard_of(subscription_id))
        return []

    async def mute(self, subscription_id: str, story_id: str) -> None:
        """Ask the owner of the subscription to leave a story out."""
        await self._ask("mute", subscription_id, shard=shard_of(subscription_id), story=story_id)

    async def unmute(self, subscription_id: str, story_id: str) -> None:
        """Ask the owner of the subscription to take a story in again."""
        await self._ask("unmute", subscription_id, shard=shard_of(subscription_id), story=story_id)

    async def poll_again(self, feed_id: str) -> str:
        """Ask the feed's poller to poll it now; the sentence that says so."""
        feed = await asyncio.to_thread(self.feeds.get, feed_id)
        await self._ask("poll", feed_id, shard=feed.shard)
        return f"Feed {feed_id} is polled again by its poller."

    async def carry_out_erasures(self) -> None:
        """Nothing: register, index and alert workers do, and Kafka deletes in its time."""

    def alerts_behind(self) -> int:
        """Records that the alert workers have not handled durably."""
        return alert_lag(self.log, range(self.log.partitions("subscriptions")))

    def missing(self) -> str:
        """The sentence of what does not answer now; empty when both servers do."""
        try:
            states = [part.health().get("state", "ok") for part in (self.log, self.index)]
        except WirewatchError as error:
            return error.sentence
        return next((state for state in states if state != "ok"), "")

    async def _ask(self, kind: RequestKind, target: str, *, shard: int, story: str = "") -> None:
        request = Request(kind=kind, target=target, at=datetime.now(UTC), story=story)
        record = request_record(self.log, request, shard=shard)
        await asyncio.to_thread(self.log.append, [record])
