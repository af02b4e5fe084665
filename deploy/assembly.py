"""How the parts of the embedded shell are put together from settings and a data folder."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from deploy.folder import DataFolder
from deploy.parse_files import READER
from deploy.settings import Settings
from deploy.stages import Stages
from deploy.topic_files import Definition, definitions
from ingest.entry_store import EntryStore
from ingest.feed_secrets import revealing
from ingest.feed_store import FeedStore
from ingest.feeds import Feed
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.log import NewRecord, topic_specs
from ingest.politeness import HostSlots
from ingest.poll import Polling
from ingest.poller import Poller
from ingest.quarantine import Quarantine
from ingest.sandbox import SandboxPool
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.tagging_process import TaggingProcess
from processors.topic import Topic
from processors.worker import Registrar, Tagger, TopicFile
from search.alert_settings import AlertSettings
from search.alerts import AlertOwner
from search.indexer import Indexer
from search.secrets import Secrets
from search.sender import Sender
from search.subscription_store import SubscriptionStore
from search.tantivy_index import TantivyIndex

CrashPoint = Callable[[str], None]


def no_crash(_name: str) -> None:
    """The crash point of production: nothing."""


@dataclass(kw_only=True)
class Parts:
    """What a shell is made of."""

    settings: Settings
    folder: DataFolder
    log: SqliteLog
    topics: tuple[Topic, ...]
    quarantine: Quarantine
    feeds: FeedStore
    subscriptions: SubscriptionStore
    index: TantivyIndex
    polling: Polling
    poller: Poller
    tagger: Tagger
    registrar: Registrar
    indexer: Indexer
    alerts: AlertOwner
    sender: Sender
    stages: Stages
    loop: asyncio.AbstractEventLoop
    failed: asyncio.Event = field(default_factory=asyncio.Event)


Whole = TypeVar("Whole", bound=Parts)


def assemble(
    kind: type[Whole],
    settings: Settings,
    folder: DataFolder,
    *,
    stack: contextlib.AsyncExitStack,
    as_json: bool,
    crash_point: CrashPoint,
) -> Whole:
    """A shell of ``kind`` over ``folder``, whose lock the caller holds; closed with ``stack``."""
    log = open_log(settings, folder, stack)
    topics = definitions(folder_of(settings.topics.folder))
    write_topics(log, topics)
    guard = Guard(settings.net)
    quarantine = Quarantine(log, folder.quarantine)
    secrets = Secrets(folder.secrets)
    polling = open_polling(
        settings,
        log=log,
        guard=guard,
        quarantine=quarantine,
        resolve=revealing(secrets),
        stack=stack,
        crash_point=crash_point,
    )
    index = TantivyIndex(folder.index)
    stack.callback(index.close)
    tagging = TaggingProcess(settings.parse)
    stack.callback(tagging.close)
    sender = Sender(
        log,
        settings=settings.alerts,
        guard=guard,
        secrets=secrets,
        as_json=as_json,
        crash_point=crash_point,
    )
    stack.push_async_callback(sender.close)
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()
    return kind(
        settings=settings,
        folder=folder,
        log=log,
        topics=tuple(one.topic for one in topics),
        quarantine=quarantine,
        feeds=FeedStore(log, vault=secrets),
        subscriptions=SubscriptionStore(
            log,
            secrets=secrets,
            guard=guard,
            folder=folder_of(settings.alerts.folder),
            topics={one.topic.id for one in topics},
        ),
        index=index,
        polling=polling,
        poller=Poller(log=log, polling=polling, crash_point=crash_point),
        tagger=Tagger(log, quarantine=quarantine, process=tagging, crash_point=crash_point),
        registrar=Registrar(log, settings.stories, quarantine=quarantine, crash_point=crash_point),
        indexer=Indexer(log, index, quarantine=quarantine, crash_point=crash_point),
        alerts=AlertOwner(
            log,
            settings=_with_links(settings),
            quarantine=quarantine,
            wake=sender.notify,
            crash_point=crash_point,
        ),
        sender=sender,
        stages=Stages(on_failure=partial(loop.call_soon_threadsafe, failed.set)),
        loop=loop,
        failed=failed,
    )


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


def _with_links(settings: Settings) -> AlertSettings:
    """``[alerts]``, where links lead to this Wirewatch's own port unless told otherwise."""
    own = f"http://{settings.api.host}:{settings.api.port}"
    return replace(settings.alerts, link_base=settings.alerts.link_base or own)


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
