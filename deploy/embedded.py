"""All stages in one process over one data folder: the embedded shell.

Polling, deliveries and the API share the event loop; tagging, register, index and alerts are
loops in threads of their own. Whoever holds an ``Embedded`` holds the lock of its data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from deploy.folder import DataFolder
from deploy.settings import Settings
from deploy.stages import Stages
from deploy.topic_files import load_topics
from ingest.errors import UsageError
from ingest.feed_store import FeedStore
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.log import NewRecord, Partition, topic_specs
from ingest.poller import Poller, PollTotals
from ingest.politeness import HostSlots
from ingest.quarantine import Quarantine
from ingest.sandbox import SandboxPool
from ingest.sqlite_log import SqliteLog
from ingest.wire import as_json, decode, encode
from processors.query_tree import Query
from processors.topic import Topic
from processors.worker import Registrar, Tagger, TopicFile
from search.alerts import AlertOwner
from search.api import Services
from search.indexer import Indexer, rebuilt
from search.secrets import Secrets
from search.sender import Sender
from search.subscription_store import SubscriptionStore
from search.tantivy_index import TantivyIndex
from search.views import all_alerts

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 600.0
"""Between runs of retention and compaction; they work in small steps beside everything else."""

DRAIN_SECONDS = 0.01
STORIES = Partition("stories")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What ``run --once`` did (RECORDS, "Totals")."""

    feeds: int = 0
    failed: int = 0
    articles: int = 0
    revisions: int = 0
    duplicates: int = 0
    tagged: int = 0
    copies: int = 0
    stories: int = 0
    indexed: int = 0
    quarantined: int = 0
    alerts: int = 0
    delivered: int = 0
    seconds: float = 0.0


@dataclass(kw_only=True)
class Embedded:
    """Everything over one data folder; ``opened`` makes it, ``start`` sets it going."""

    settings: Settings
    folder: DataFolder
    log: SqliteLog
    topics: tuple[Topic, ...]
    guard: Guard
    quarantine: Quarantine
    feeds: FeedStore
    subscriptions: SubscriptionStore
    secrets: Secrets
    index: TantivyIndex
    poller: Poller
    polling: Polling
    tagger: Tagger
    registrar: Registrar
    indexer: Indexer
    alerts: AlertOwner
    sender: Sender
    running: bool = False
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: Settings, folder: DataFolder, *, crash_point: CrashPoint = no_crash
    ) -> AsyncIterator[Embedded]:
        """Open log, index and stages; the caller holds the folder's lock.

        Raises:
            StoreError: a store cannot be opened, or is not the one the other names.
            FileError: a topic file cannot be read.
        """
        async with contextlib.AsyncExitStack() as stack:
            yield _assemble(settings, folder, stack, crash_point)
