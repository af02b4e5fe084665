"""How the parts of either shell are put together from settings and a data folder."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.folder import DataFolder
from deploy.parse_files import READER
from deploy.settings import Settings
from deploy.token_file import file_token
from deploy.topic_files import Definition
from ingest.entry_store import EntryStore
from ingest.errors import UsageError
from ingest.feed_secrets import revealing
from ingest.feed_store import FeedStore
from ingest.feeds import SHARDS
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.kafka_opening import need_distributed, open_kafka_log
from ingest.log import Log, NewRecord, TopicSpec, topic_specs
from ingest.politeness import HostSlots
from ingest.poll import Polling
from ingest.quarantine import Quarantine
from ingest.sandbox import SandboxPool
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from processors.worker import Registrar, TopicFile
from search.account_store import AccountStore
from search.alert_settings import AlertSettings
from search.erasing import Erasing
from search.index import Index
from search.indexer import Indexer
from search.search_processes import SearchProcesses
from search.secrets import Secrets, Vault
from search.sender import Sender
from search.subscriptions import Kind
from search.tantivy_index import TantivyIndex
from search.targets import Targets

if TYPE_CHECKING:
    from search.projections import Projector

CrashPoint = Callable[[str], None]


def no_crash(_name: str) -> None:
    """The crash point of production: nothing."""


class Parts:
    """Makes each part when it is first asked for; ``stack`` closes them in the reverse order.

    A process takes what it needs: a stage its own few, a shell nearly all. For one thread.
    ``as_json`` prints alerts to ``stdout:`` as payloads.

    Raises:
        StoreError: by the part in question: a store cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        folder: DataFolder,
        stack: contextlib.AsyncExitStack,
        *,
        as_json: bool = False,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.stack = stack
        self.crash_point = crash_point
        self.as_json = as_json

    @cached_property
    def log(self) -> Log:
        """The log; embedded with its topics, distributed as ``wirewatch setup`` made it."""
        settings = self.settings
        if settings.log.backend == "kafka":
            kafka = open_kafka_log(settings.log)
            self.stack.callback(kafka.close)
            return kafka
        log = SqliteLog(self.folder.log)
        self.stack.callback(log.close)
        log.ensure_topics(specs(settings))
        return log

    @cached_property
    def index(self) -> Index:
        """The index. Raises UsageError where it is not of the log's kind."""
        refuse_odd_pairs(self.settings)  # a poller may leave the index unsaid
        index: Index
        if self.settings.index.backend == "elasticsearch":
            need_distributed()
            from search.elastic_index import ElasticIndex

            index = ElasticIndex(self.settings.index)
        else:
            processes = SearchProcesses(self.folder.index)
            index = TantivyIndex(self.folder.index, processes=processes)
        self.stack.callback(index.close)
        return index

    @cached_property
    def guard(self) -> Guard:
        """Which addresses we connect to."""
        return Guard(self.settings.net)

    @cached_property
    def quarantine(self) -> Quarantine:
        """What was set aside."""
        return Quarantine(self.log, self.folder.quarantine)

    @cached_property
    def erasing(self) -> Erasing:
        """Erasures by request."""
        return Erasing(self.log, quarantine=self.quarantine, crash_point=self.crash_point)

    @cached_property
    def vault(self) -> Vault:
        """Where secrets are kept."""
        if self.settings.log.backend == "kafka":
            from search.sealed_secrets import SealedSecrets

            return SealedSecrets(self.settings.data.secret_key_file)
        return Secrets(self.folder.secrets)

    @cached_property
    def feeds(self) -> FeedStore:
        """The list of feeds."""
        return FeedStore(self.log, vault=self.vault)

    @cached_property
    def accounts(self) -> AccountStore:
        """The accounts. Raises FileError where ``[api] token_file`` cannot be used."""
        return AccountStore(self.log, file_token=file_token(self.settings.api))

    @cached_property
    def polling(self) -> Polling:
        """Everything that polls share."""
        settings = self.settings
        slots = HostSlots(
            guard=self.guard,
            connections=settings.fetch.host_connections,
            gap_seconds=settings.fetch.host_gap_seconds,
        )
        fetcher = Fetcher(guard=self.guard, settings=settings.fetch, slots=slots)
        self.stack.push_async_callback(fetcher.close)
        sandboxes = SandboxPool(READER, settings=settings.parse)
        self.stack.push_async_callback(sandboxes.close)
        return Polling(
            entries=EntryStore(self.log),
            fetcher=fetcher,
            slots=slots,
            sandboxes=sandboxes,
            quarantine=self.quarantine,
            settings=settings.poll,
            connections=asyncio.Semaphore(settings.poll.connections),
            clock=lambda: datetime.now(UTC),
            chance=random.random,
            limits=settings.article,
            first_poll_hours=settings.alerts.first_poll_hours,
            resolve=revealing(self.vault),
            crash_point=self.crash_point,
        )

    @cached_property
    def registrar(self) -> Registrar:
        """The register."""
        return Registrar(
            self.log,
            self.settings.stories,
            quarantine=self.quarantine,
            crash_point=self.crash_point,
        )

    @cached_property
    def indexer(self) -> Indexer:
        """The loop of the index."""
        return Indexer(
            self.log, self.index, quarantine=self.quarantine, crash_point=self.crash_point
        )

    @cached_property
    def sender(self) -> Sender:
        """What delivers."""
        sender = Sender(
            self.log,
            settings=self.alert_settings,
            guard=self.guard,
            secrets=self.vault,
            mail=self.settings.mail,
            with_kafka=self.settings.log.backend == "kafka",
            as_json=self.as_json,
            crash_point=self.crash_point,
        )
        self.stack.push_async_callback(sender.close)
        return sender

    @cached_property
    def projector(self) -> Projector:
        """The loop of the lists that Elasticsearch keeps for people."""
        from search.elastic_bulk import Bulk
        from search.elastic_client import connect
        from search.elastic_lists import prepare
        from search.projections import Projector

        settings = self.settings.index
        client = connect(settings)
        self.stack.callback(client.close)
        return Projector(
            self.log,
            Bulk(client, settings),
            prepare=lambda: prepare(client, settings, log=self.log.identity()),
            prefix=settings.prefix,
            quarantine=self.quarantine,
        )

    @property
    def targets(self) -> Targets:
        """Where alerts may go here."""
        can: set[Kind] = {"mail"} if self.settings.mail.server else set()
        if self.settings.log.backend == "kafka":
            can.add("kafka")
        return Targets(
            secrets=self.vault,
            guard=self.guard,
            folder=folder_of(self.settings.alerts.folder),
            can=frozenset(can),
        )

    @property
    def alert_settings(self) -> AlertSettings:
        """``[alerts]``, where links lead to this Wirewatch's own port unless told otherwise."""
        api, alerts = self.settings.api, self.settings.alerts
        return replace(alerts, link_base=alerts.link_base or api.url(api.port))


def refuse_odd_pairs(settings: Settings) -> None:
    """Nothing, where log and index are of one kind. Raises UsageError."""
    log, index = settings.log.backend, settings.index.backend
    if (log == "kafka") != (index == "elasticsearch"):
        raise UsageError(
            f"[log] {log} with [index] {index}",
            sentence=f'[log] backend = "{log}" and [index] backend = "{index}" do not go together.',
            hint="On one machine sqlite and tantivy, on many kafka and elasticsearch.",
            code="odd-pair",
        )


def write_topics(log: Log, topics: Sequence[Definition]) -> None:
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


def specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """The topics of the log that ``settings`` choose."""
    days = settings.data.retention_days
    many = settings.log.backend == "kafka"
    return topic_specs(
        articles_days=days.articles,
        quarantine_days=days.quarantine,
        shards=SHARDS if many else 1,
        parallel=settings.log.partitions if many else 1,
    )


def folder_of(name: str) -> Path | None:
    """The folder that a setting names; None where it is empty."""
    return Path(name).expanduser() if name else None
