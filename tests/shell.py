"""The embedded shell over a folder of a test's own, with articles that came from no feed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.embedded import Embedded
from deploy.folder import DataFolder
from deploy.local import create_local_api
from deploy.serve import guarded
from deploy.settings import load
from deploy.shell import Shell
from ingest.article import Sighting
from ingest.log import NewRecord
from ingest.wire import encode
from search.api import create_api
from tests.made_up_news import sighting

NEWS = (
    sighting(
        "article-1",
        "Mediators said truce talks between the army and the rebels resumed in Velmora. "
        "A ceasefire could follow within days, the negotiators of both sides said.",
        title="Truce talks resume in Velmora",
        feed="wire",
    ),
    sighting("article-2", "The ferry runs again after the storm.", title="Ferry runs", feed="port"),
    sighting("article-3", "A choir sang for the ferry crew.", title="Choir", feed="port"),
)


@asynccontextmanager
async def opened(folder: Path, *overrides: str) -> AsyncIterator[Embedded]:
    """A shell over ``folder``, whose lock is held."""
    data = DataFolder(folder / "data")
    settings = load(overrides=overrides).settings
    with data.lock():
        async with Embedded.opened(settings, data) as shell:
            yield shell


async def carry(shell: Embedded, news: Sequence[Sighting] = NEWS) -> None:
    """Hand ``news`` to the pipeline as a poller would, and wait until all is done.

    Once a shell: it works once, as the command does.
    """
    now = datetime.now(UTC)
    shell.log.append(
        [
            NewRecord(topic="articles", key=one.article.id, value=encode(_at(one, now)))
            for one in news
        ]
    )
    await shell.once()


def _at(one: Sighting, now: datetime) -> Sighting:
    return Sighting(article=one.article, fetched=now, cause=one.cause)


def client(shell: Shell, *, local: bool = False, from_network: bool = True) -> httpx.AsyncClient:
    """A client of the shell's API, without a socket."""
    made = (
        create_local_api(shell)
        if local
        else create_api(shell.services(), from_network=from_network)
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=made), base_url="http://localhost")


def browser(
    shell: Embedded, *, token: str = "", base_url: str = "http://localhost"
) -> httpx.AsyncClient:
    """A client of what is served on the port, with all that guards it; ``token`` of an account."""
    api = create_api(shell.services(), from_network=True)
    made = guarded(api, accounts=shell.accounts, settings=shell.settings.api)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app=made)
    return httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)
