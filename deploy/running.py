"""``wirewatch run``: lock the folder, open the shell, serve, work, stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy.cli.client import LOCK_WAIT_SECONDS
from deploy.cli.context import Context
from deploy.cli.feeds import is_url, read_list
from deploy.embedded import Embedded
from deploy.events import log_to_stderr
from deploy.folder import DataFolder
from deploy.local import local_socket
from deploy.newsroom import Newsroom, load_outlets
from deploy.sample_tour import Tour, sample_overrides, sample_subscriptions
from deploy.serve import bind_port, serving_port
from deploy.settings import Settings
from deploy.signals import stop_on_signals
from deploy.totals import Totals
from ingest.errors import UsageError
from search.account_store import AccountStore
from search.api_settings import ApiSettings

logger = structlog.get_logger(__name__)

PROGRESS_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asked for."""

    context: Context
    feeds: tuple[str, ...] = ()
    sample: bool = False
    web: bool = True
    json: bool = False


def run_forever(wanted: Wanted) -> None:
    """Run until SIGINT or SIGTERM. Raises the error of a stage that failed."""
    log_to_stderr("warning" if wanted.sample else "info")
    asyncio.run(_run(wanted))


def run_once(wanted: Wanted) -> Totals:
    """Poll every feed once, carry everything to index and alerts, give the totals."""
    log_to_stderr()
    return asyncio.run(_once(wanted))


async def _run(wanted: Wanted) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with (
        _opened(wanted) as (settings, folder, shell),
        local_socket(shell, folder.socket_path()),
        contextlib.AsyncExitStack() as stack,
    ):
        url = ""
        if wanted.web:
            port = await stack.enter_async_context(_web(shell, wanted, settings))
            url = settings.api.url(port)
        feeds = len(shell.feeds.all())
        logger.info("running", data=str(folder.path), feeds=feeds, api=url)
        if wanted.sample:
            options = ("--data", str(folder.path))
            tour = Tour(shell, options=options, json=wanted.json, page=url)
            guide = asyncio.create_task(tour.follow())
            stack.callback(guide.cancel)
        await shell.run(stop)


async def _once(wanted: Wanted) -> Totals:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with _opened(wanted) as (_, folder, shell), local_socket(shell, folder.socket_path()):
        work = asyncio.create_task(shell.once())
        stopping = asyncio.create_task(stop.wait())
        with _bar(enabled=not wanted.json) as progress:
            task = progress.add_task("polling", total=len(shell.feeds.all()) or None)
            while not work.done() and not stop.is_set():
                await asyncio.wait(
                    {work, stopping},
                    timeout=PROGRESS_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                progress.update(task, completed=shell.poller.finished)
        stopping.cancel()
        if not work.done():
            work.cancel()
            raise KeyboardInterrupt
        return work.result()


def _bar(*, enabled: bool) -> Progress:
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = enabled and console.is_terminal
    return Progress(*columns, console=console, transient=True, disable=not shown)


@asynccontextmanager
async def _opened(wanted: Wanted) -> AsyncIterator[tuple[Settings, DataFolder, Embedded]]:
    """Lock the folder, open the shell over it, add what the command line names."""
    lists = [_feed_list(name) for name in wanted.feeds]
    async with contextlib.AsyncExitStack() as stack:
        context = wanted.context
        newsroom = None
        if wanted.sample:
            newsroom = Newsroom(load_outlets(), start=datetime.now(UTC))
            await newsroom.open()
            stack.push_async_callback(newsroom.close)
            context = context.with_overrides(*sample_overrides(context, newsroom))
        settings = context.settings()
        folder = context.folder(settings)
        await asyncio.to_thread(folder.answering_owner, LOCK_WAIT_SECONDS)
        stack.enter_context(folder.lock())
        shell = await stack.enter_async_context(
            Embedded.opened(settings, folder, as_json=wanted.json)
        )
        if newsroom is not None:
            sample_subscriptions(shell, newsroom)
        for data, place in lists:
            _add_feeds(shell, data, place)
        _collect_garbage_seldom()
        yield settings, folder, shell


def _collect_garbage_seldom() -> None:
    """Spare the collector what is there for good: it took 7 % of the work on an article."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _feed_list(name: str) -> tuple[bytes, str]:
    return (name.encode(), "--feeds") if is_url(name) else read_list(name)


def _add_feeds(shell: Embedded, data: bytes, place: str) -> None:
    report = shell.feeds.import_list(data, name=place)
    for row in report.refused:
        logger.warning("feed refused", place=place, line=row.line, reason=row.reason)


@asynccontextmanager
async def _web(shell: Embedded, wanted: Wanted, settings: Settings) -> AsyncIterator[int]:
    listener = _listener(wanted, settings.api, accounts=shell.accounts)
    async with serving_port(shell, listener) as port:
        yield port


def _listener(wanted: Wanted, settings: ApiSettings, *, accounts: AccountStore) -> socket.socket:
    try:
        return bind_port(settings, accounts=accounts)
    except UsageError as error:
        if not (wanted.sample and error.code == "port-in-use"):
            raise
        # Whoever tries Wirewatch beside another one need not care about ports.
        return bind_port(replace(settings, port=0), accounts=accounts)
