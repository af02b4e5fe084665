"""All stages on a Kafka and an Elasticsearch of one's own, fed by a ledger that is served."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cli.context import Context
from deploy.distributed import Distributed
from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.servers.server import Server
from deploy.settings import Settings
from deploy.setup import set_up
from ingest.errors import UnavailableError
from ingest.kafka_log import KafkaLog
from search.sealed_secrets import KEY_BYTES
from tests.alert_book import ONE_BY_ONE, AlertBook
from tests.audit import Audit
from tests.cluster_audit import audit_cluster
from tests.ledger import COMMON, MARK, Ledger
from tests.running import Place
from tests.stage_crew import Crew
from tests.takeover import GROUPS, Progress

MARKED_SUBSCRIPTIONS = 6
"""The same query in several shards, so that each alert worker has some."""

READY_SECONDS = 120.0
LOOK_SECONDS = 0.5
REST_SECONDS = 2.0
"""For what should not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much news there is, and how often it is looked at."""

    feeds: int = 20
    listed: int = 400
    poll_seconds: float = 15.0
    marked: float = 0.05


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything there is; ``servers`` by the names that the plan has for them."""

    ledger: Ledger
    book: AlertBook
    crew: Crew
    servers: dict[str, Server]
    settings: Settings
    shell: Distributed
    progress: Progress
    names: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> list[tuple[str, str]]:
        """The alerts that are due, as (subscription, URL)."""
        due = [("everything", item.url) for item in self.ledger.items]
        marked = self.ledger.marked
        return due + [(name, item.url) for name in self.names for item in marked]

    async def ready(self) -> None:
        """Wait until every worker is in its group."""
        async with asyncio.timeout(READY_SECONDS):
            for kind in GROUPS:
                names = {one.name for one in self.crew.of(kind)}
                while (  # noqa: ASYNC110 - other processes, no event
                    {*await asyncio.to_thread(self.progress.owners, kind)} != names
                ):
                    await asyncio.sleep(LOOK_SECONDS)

    async def quiet(self, seconds: float) -> str:
        """Wait until nothing waits and every alert came; what waits still after ``seconds``."""
        waits = ""
        with contextlib.suppress(TimeoutError):  # ``waits`` says it
            async with asyncio.timeout(seconds):
                while (  # noqa: ASYNC110 - other processes, no event
                    waits := await asyncio.to_thread(self._waits)
                ):
                    await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(REST_SECONDS)
        return waits

    def _waits(self) -> str:
        missing = len(self.wanted) - len(
            {(one.subscription, one.url) for one in self.book.acknowledged()}
        )
        try:
            lags = {name: lag() for name, lag in self.shell.lags().items()}
            alerts = self.shell.alert_counts()
        except UnavailableError as error:
            return error.sentence
        unsent = alerts.total() - alerts["sent"]
        if missing or unsent or any(lags.values()):
            return f"{missing} alerts to come, {unsent} not sent, lags {lags}"
        return ""

    async def audited(self) -> Audit:
        """Compare, with everything at rest."""
        return await asyncio.to_thread(
            audit_cluster,
            self.shell.log,
            self.settings.index,
            ledger=self.ledger,
            book=self.book,
            wanted=self.wanted,
        )


@contextlib.asynccontextmanager
async def newsroom(
    folder: Path, files: ServerFiles, *, seed: int, size: Size, quick: bool = False
) -> AsyncIterator[Scene]:
    """A scene in ``folder`` whose stages wait to be started."""
    servers: dict[str, Server] = {
        "kafka": KafkaServer(folder / "kafka", files, quick=quick),
        "elasticsearch": ElasticsearchServer(folder / "elasticsearch", files, quick=quick),
    }
    async with contextlib.AsyncExitStack() as stack:
        for server in servers.values():
            stack.callback(server.stop)
        await asyncio.gather(*(asyncio.to_thread(one.start) for one in servers.values()))
        ledger = await stack.enter_async_context(
            Ledger(feeds=size.feeds, seed=seed, marked=size.marked, listed=size.listed)
        )
        book = await stack.enter_async_context(AlertBook(refuses=0.03, dawdles=0.01, seed=seed))
        place = _place(folder, servers, ledger=ledger, book=book, size=size)
        settings, context = _settings(place)
        await asyncio.to_thread(lambda: [*set_up(settings)])
        shell = await stack.enter_async_context(
            Distributed.opened(settings, context.folder(settings))
        )
        assert isinstance(shell.log, KafkaLog)
        progress = Progress(shell.log, settings.log)
        stack.callback(progress.close)
        crew = Crew(place)
        stack.callback(crew.kill)
        scene = Scene(
            ledger=ledger,
            book=book,
            crew=crew,
            servers=servers,
            settings=settings,
            shell=shell,
            progress=progress,
            names=[f"marked-{number}" for number in range(MARKED_SUBSCRIPTIONS)],
        )
        await asyncio.to_thread(_subscribe, scene)
        shell.feeds.import_list("\n".join(ledger.feed_urls), name="feeds")
        yield scene


def _subscribe(scene: Scene) -> None:
    store = scene.shell.subscriptions
    for name, query in {"everything": COMMON, **dict.fromkeys(scene.names, MARK)}.items():
        added = store.add(name=name, query=query, to=(scene.book.url(name),))
        scene.book.secrets[name] = store.endpoints(added)[-1]["secret"]


def _place(
    folder: Path, servers: dict[str, Server], *, ledger: Ledger, book: AlertBook, size: Size
) -> Place:
    key = folder / "secret.key"
    key.touch(mode=0o600)
    key.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)))
    return Place(
        folder=folder,
        settings={
            "data.secret_key_file": key,
            "log.backend": "kafka",
            "log.bootstrap": f"127.0.0.1:{servers['kafka'].port}",
            "index.backend": "elasticsearch",
            "index.url": f"http://127.0.0.1:{servers['elasticsearch'].port}",
            "net.allow": f"{ledger.host},{book.host}",
            **ONE_BY_ONE,
            "fetch.host_gap_seconds": 0.05,
            "parse.processes": 1,
            "poll.min_seconds": size.poll_seconds,
            "poll.default_seconds": size.poll_seconds,
            "poll.max_seconds": size.poll_seconds * 1.5,
        },
    )


def _settings(place: Place) -> tuple[Settings, Context]:
    overrides = tuple(f"{name}={value}" for name, value in place.settings.items())
    context = Context(config=None, data=place.data, overrides=overrides)
    return context.settings(), context
