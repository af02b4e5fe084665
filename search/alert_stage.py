"""The alert stage of many machines: one of several workers that share the subscriptions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from ingest.errors import WirewatchError
from ingest.feed_store import FeedStore
from ingest.guard import Guard
from ingest.log import Log, NewRecord
from ingest.quarantine import Quarantine
from ingest.requests import RequestReader
from ingest.wire import decode, encode
from search.alert_settings import AlertSettings
from search.alert_state import ALERT, TOPIC
from search.alerts import AlertOwner
from search.index import Index
from search.mail.settings import MailSettings
from search.ownership import SharedOwnership
from search.replays import Replays
from search.secrets import Vault
from search.sender import Sender
from search.subscriptions import Subscription
from search.trial import tested
from search.watchfulness import Watchfulness

_events = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHealth:
    """How an alert worker is.

    Attributes:
        owned, partitions: Shards that are ours now, and all there are.
        lag: Records of ``stories``, and of our subscriptions, that are not durably handled.
        pause: Why alerting pauses, as a sentence; empty while it does not.
    """

    owned: int
    partitions: int
    lag: int
    pause: str


class AlertStage:
    """Alerts for the subscriptions whose shards are ours, and takes over those of dead workers.

    Args:
        index: Where watching subscriptions count; without it nobody watches.
        lease_seconds: See ``ingest.shards.Shards``.
        as_json: Prints alerts to ``stdout:`` as payloads.
        crash_point: Called between the steps that a kill may separate.
    """

    def __init__(
        self,
        log: Log,
        *,
        settings: AlertSettings,
        quarantine: Quarantine,
        guard: Guard,
        secrets: Vault,
        lease_seconds: float,
        mail: MailSettings | None = None,
        index: Callable[[], Index] | None = None,
        as_json: bool = False,
        crash_point: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._clock = clock
        self._shards = SharedOwnership(log, lease_seconds=lease_seconds)
        self._partitions = log.partitions("subscriptions")
        self._sender = Sender(
            log,
            settings=settings,
            guard=guard,
            secrets=secrets,
            shards=self._shards,
            mail=mail,
            with_kafka=True,
            as_json=as_json,
            crash_point=crash_point,
            clock=clock,
        )
        self._owner = AlertOwner(
            log,
            settings=settings,
            quarantine=quarantine,
            shards=self._shards,
            wake=self._sender.notify,
            changed=self._sender.changed,
            crash_point=crash_point,
            clock=clock,
        )
        self._watchfulness = index and Watchfulness(
            log,
            feeds=FeedStore(log),
            index=index,
            settings=settings,
            shards=self._shards,
            wake=self._sender.notify,
            clock=clock,
        )
        self._replays = Replays(self._sender.retry)
        self._loop: asyncio.AbstractEventLoop  # of ``run``, which starts the threads

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and deliver what is ours until ``stop`` is set, then leave the group at once.

        Raises:
            StoreError: the log is another one, or another process bears our name.
            NewerSchemaError: a record was written by a newer version.
        """
        self._loop = asyncio.get_running_loop()
        claimed, left = threading.Event(), threading.Event()
        with ThreadPoolExecutor(4, thread_name_prefix="alert-stage") as threads:
            sending = asyncio.ensure_future(self._sender.run(stop))
            owning = self._loop.run_in_executor(threads, self._owner.run, claimed)
            others = [
                asyncio.ensure_future(self._loop.run_in_executor(threads, work, left))
                for work in (self._shards.run, self._hear, self._watch)
            ]
            try:
                await asyncio.wait([sending, owning, *others], return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.set()
                claimed.set()
                # The group is left last: what is under way is ours until then.
                await asyncio.wait([sending, owning])
                left.set()
                await asyncio.wait(others)
                await self._sender.close()
        for task in (sending, owning, *others):
            if error := task.exception():
                raise error

    def held(self) -> frozenset[int]:
        """The shards that are ours now."""
        return frozenset(self._shards.held())

    @property
    def done(self) -> int:
        """Records handled durably since the start."""
        return self._owner.done

    def health(self) -> AlertHealth:
        """How this worker is; from any thread.

        Raises:
            UnavailableError: the log cannot be read now.
        """
        return AlertHealth(
            owned=len(self.held()),
            partitions=self._partitions,
            lag=self._owner.lag(),
            pause=self._shards.pause,
        )

    def _watch(self, stop: threading.Event) -> None:
        if self._watchfulness is None:
            stop.wait()
        else:
            self._watchfulness.run(stop)

    def _hear(self, stop: threading.Event) -> None:
        owner = self._owner
        RequestReader(self._log).hear(
            {
                "retry": lambda wish: self._later(self._replays.one(wish.target)),
                "test": lambda wish: self._later(self._test(wish.target)),
                "mute": lambda wish: owner.mute(wish.target, wish.story),
                "unmute": lambda wish: owner.unmute(wish.target, wish.story),
            },
            ended=stop,
        )

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _test(self, subscription_id: str) -> None:
        """Send a test alert, where its subscription is ours, and list what came of it."""
        try:
            record = await asyncio.to_thread(self._log.table("subscriptions").get, subscription_id)
            if record is None or record.partition.number not in self.held():
                return
            rows = await self._sender.send_test(subscription_id)
            alert = tested(decode(Subscription, record.value or b""), rows, now=self._clock())
            key, value = ALERT + alert.alert_id, encode(alert)
            shard = record.partition.number
            await asyncio.to_thread(
                self._log.append,
                [NewRecord(topic=TOPIC, key=key, value=value, partition=shard)],
            )
        except WirewatchError as error:
            _events.warning("test refused", subscription=subscription_id, reason=error.sentence)
        except Exception as error:  # noqa: BLE001 - nobody looks at what becomes of it
            _events.error("test broke", subscription=subscription_id, exc_info=error)
