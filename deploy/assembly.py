"""How the parts of the embedded shell are put together from settings and a data folder."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.folder import DataFolder
from deploy.parse_files import READER
from deploy.settings import Settings
from deploy.topic_files import Definition
from ingest.entry_store import EntryStore
from ingest.feeds import Feed
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.log import NewRecord, topic_specs
from ingest.politeness import HostSlots
from ingest.poll import Polling
from ingest.quarantine import Quarantine
from ingest.sandbox import SandboxPool
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.worker import TopicFile

CrashPoint = Callable[[str], None]


def no_crash(_name: str) -> None:
    """The crash point of production: nothing."""


def open_log(settings: Settings, folder: DataFolder, stack: contextlib.AsyncExitStack) -> SqliteLog:
    """The log of ``folder`` with its topics; closed with ``stack``. Raises StoreError."""
    log = SqliteLog(folder.log)
    stack.callback(log.close)
    days = settings.data.retention_days
    log.ensure_topics(topic_specs(articles_days=days.articles, quarantine_days=days.quarantine))
    return log


def open_polling(
    settings: Settings,
    *,
    log: SqliteLog,
    guard: Guard,
    quarantine: Quarantine,
    resolve: Callable[[Feed], str],
    stack: contextlib.AsyncExitStack,
    crash_point: CrashPoint,
) -> Polling:
    """Everything that polls share; closed with ``stack``."""
    slots = HostSlots(
        guard=guard,
        connections=settings.fetch.host_connections,
        gap_seconds=settings.fetch.host_gap_seconds,
    )
    fetcher = Fetcher(guard=guard, settings=settings.fetch, slots=slots)
    stack.push_async_callback(fetcher.close)
    sandboxes = SandboxPool(READER, settings=settings.parse)
    stack.push_async_callback(sandboxes.close)
    return Polling(
        entries=EntryStore(log),
        fetcher=fetcher,
        slots=slots,
        sandboxes=sandboxes,
        quarantine=quarantine,
        settings=settings.poll,
        connections=asyncio.Semaphore(settings.poll.connections),
        clock=lambda: datetime.now(UTC),
        chance=random.random,
        limits=settings.article,
        first_poll_hours=settings.alerts.first_poll_hours,
        resolve=resolve,
        crash_point=crash_point,
    )


def write_topics(log: SqliteLog, topics: Sequence[Definition]) -> None:
    """Make the topic ``topics`` say what the files say; taggers take it up between two batches."""
    table = log.table("topics")
    wanted = {
        f"{one.topic.id}.{one.topic.lang}": encode(
            TopicFile(
                id=one.topic.id, lang=one.topic.lang, version=one.topic.version, text=one.text
            )
        )
        for one in topics
    }
    known = {record.key: record.value for record in table.items()}
    changed = [
        NewRecord(topic="topics", key=key, value=value)
        for key, value in wanted.items()
        if known.get(key) != value
    ]
    gone = [NewRecord(topic="topics", key=key, value=None) for key in known.keys() - wanted.keys()]
    if changed or gone:
        log.append([*changed, *gone])


def folder_of(name: str) -> Path | None:
    """The folder that a setting names; None where it is empty."""
    return Path(name).expanduser() if name else None
