"""The stream and the feeds over a real port, with accounts in force where that matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from deploy.serve import bind_port, serving_port
from search.live_events import heartbeat
from tests.search.test_live import Heard, heard
from tests.shell import NEWS, carry, opened

DEADLINE = 30.0


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@asynccontextmanager
async def port_of(shell: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    listener = bind_port(shell.settings.api, accounts=shell.accounts)
    async with (
        serving_port(shell, listener) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE) as found,
    ):
        yield found


async def alerts(client: httpx.AsyncClient, last: str = "", **headers: str) -> Heard:
    """The next alert of the stream behind ``last``."""
    given = {"Last-Event-ID": last} if last else {}
    async with (
        asyncio.timeout(DEADLINE),
        client.stream("GET", "/api/stream", headers=given | headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        async for text in answer.aiter_text():
            for one in heard(text):
                if one.kind == "alert":
                    return one
    raise EOFError


async def test_a_browser_hears_of_alerts_and_resumes(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.port=0") as shell, port_of(shell) as client:
        shell.subscriptions.add(name="ferry", query="ferry", to=["stdout:"], every_article=True)
        hearing = asyncio.create_task(alerts(client))
        while not len(shell.live):  # noqa: ASYNC110 - the stream stands
            await asyncio.sleep(0.01)
        await carry(shell, NEWS)
        first = await hearing
        assert first.data["subscription_name"] == "ferry"
        second = await alerts(client, first.id)
        assert (second.id, second.data) != (first.id, first.data)


async def test_with_accounts_a_feed_opens_by_its_token_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, "api.port=0", "api.require_login=true") as shell:
        _, token = shell.accounts.add("ann", scopes=("read", "write"))
        async with port_of(shell) as client:
            bearer = {"Authorization": f"Bearer {token}"}
            feed = {"q": "ferry"}
            assert (await client.get("/feeds/search.atom", params=feed)).status_code == 401
            assert (await client.get("/api/stream")).status_code == 401
            made = await client.post("/api/feed-tokens", json={"name": "phone"}, headers=bearer)
            assert made.status_code == 201
            opened_by = {**feed, "token": made.json()["token"]}
            assert (await client.get("/feeds/search.atom", params=opened_by)).status_code == 200
            for path in ("/api/search", "/api/marks", "/"):
                assert (await client.get(path, params=opened_by)).status_code in (303, 401)
            wrong = {**feed, "token": "wwf_guess"}
            assert (await client.get("/feeds/search.json", params=wrong)).status_code == 401


def test_a_heartbeat_is_a_comment_that_moves_the_place_on() -> None:
    assert heartbeat((3, 4)) == b":\nid: 3-4\n\n"
