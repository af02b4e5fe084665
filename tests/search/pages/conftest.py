"""A shell with news, and a browser without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from deploy.serve import guarded
from search.api import create_api
from tests.shell import opened

HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def browser(shell: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    """As a browser without scripts asks on the port: cookies, and answers to forms followed."""
    made = create_api(shell.services(), from_network=False)
    app = guarded(made, accounts=shell.accounts, settings=shell.settings.api)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://localhost:8720",
        headers=HTML,
        follow_redirects=True,
    ) as found:
        yield found
