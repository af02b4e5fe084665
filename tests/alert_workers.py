"""Alert workers of many machines as child processes of a test, over one Kafka."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingest.guard import Guard
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord
from ingest.settings import NetSettings
from ingest.wire import decode, encode
from processors.records import StoryRecord
from search.alert_state import ALERT, SINCE, TOPIC, Alert
from search.cursors import alert_lag
from search.sealed_secrets import SealedSecrets
from search.subscription_store import SubscriptionStore
from tests.alerting import MANY, SHARDS
from tests.children import Child
from tests.newsroom import until

PATIENCE_SECONDS = 30.0


def _settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, prefix=f"agency-{uuid4().hex[:8]}.")


def kafka_log(kafka: str) -> KafkaLog:
    """A log of one's own in Kafka."""
    return KafkaLog(_settings(kafka))


class Worker(Child):
    """One alert worker; ``held`` are the shards it says are its own."""

    held: frozenset[int] = frozenset()

    def said(self, word: dict[str, Any]) -> None:
        self.held = frozenset(word.get("held", ()))


class Agency:
    """Subscriptions and stories in a Kafka, and the workers that alert."""

    def __init__(self, kafka: str, folder: Path) -> None:
        self.settings = _settings(kafka)
        self.log = KafkaLog(self.settings)
        self.log.ensure_topics(MANY)
        self.workers: list[Worker] = []
        key = folder / "key"
        key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        self.store = SubscriptionStore(
            self.log,
            secrets=SealedSecrets(str(key)),
            guard=Guard(NetSettings(allow=("127.0.0.1:*",))),
            folder=folder / "out",
        )
        self._folder = folder

    async def start(self, *, point: str = "") -> Worker:
        """A worker; it hangs at the crash point ``point``."""
        child = (self.settings.bootstrap, self.settings.prefix, str(self._folder), point)
        errors = self._folder / f"worker-{len(self.workers)}.log"
        worker = await Worker.started("tests.alert_child", *child, errors=errors)
        self.workers.append(worker)
        return worker

    async def at_rest(self, *workers: Worker) -> None:
        """Wait until ``workers`` hold all shards between them, each once and each some."""

        def shared() -> bool:
            held = [one.held for one in workers]
            return all(held) and sum(map(len, held)) == SHARDS == len(frozenset().union(*held))

        await until(shared, seconds=PATIENCE_SECONDS)

    def subscribe(self, name: str, query: str = "truce", to: str = "", **more: Any) -> str:
        """The id of a new subscription."""
        return self.store.add(name=name, query=query, to=[to], **more).id

    async def subscribe_everywhere(self, to: str, *, query: str = "truce") -> dict[int, str]:
        """A subscription in each shard, by shard, once all of them count."""
        made: dict[int, str] = {}
        while len(made) < SHARDS:
            one = await asyncio.to_thread(
                self.store.add, name=f"s{uuid4().hex}", query=query, to=[to]
            )
            if one.shard % SHARDS in made:
                await asyncio.to_thread(self.store.remove, one.id)
            else:
                made[one.shard % SHARDS] = one.id
        return made

    async def active(self, ids: Collection[str]) -> None:
        """Wait until the subscriptions count."""
        keys = [SINCE + one for one in ids]
        await _until(lambda: len(self.log.table(TOPIC).many(keys)) == len(keys))

    def publish(self, *stories: StoryRecord) -> None:
        """Append stories as the register does."""
        self.log.append(
            [NewRecord(topic="stories", key=one.article.id, value=encode(one)) for one in stories]
        )

    def alerts(self) -> list[Alert]:
        """Every alert, by id."""
        items = self.log.table(TOPIC).items(ALERT)
        return [decode(Alert, record.value or b"") for record in items]

    async def alerted(self, count: int, *, state: str = "sent") -> list[Alert]:
        """Wait until ``count`` alerts are ``state``; all alerts then."""
        await _until(lambda: sum(one.state == state for one in self.alerts()) >= count)
        return await asyncio.to_thread(self.alerts)

    async def has(self, prefix: str) -> None:
        """Wait until ``alert-state`` has a record of this kind."""
        await _until(lambda: any(True for _ in self.log.table(TOPIC).items(prefix)))

    async def settled(self) -> None:
        """Wait until every story is handled for every shard."""
        await _until(lambda: not alert_lag(self.log, range(SHARDS)))


async def _until(happened: Callable[[], bool]) -> None:
    """Wait until ``happened``, which asks the log."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await asyncio.to_thread(happened):  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def agency(kafka: str, folder: Path) -> AsyncIterator[Agency]:
    """An agency without workers; those that are started are killed in the end."""
    made = Agency(kafka, folder)
    try:
        yield made
    finally:
        for worker in made.workers:
            await worker.kill()
        made.log.close()
