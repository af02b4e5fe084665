"""The port and the socket: who may ask, and what happens where one is taken."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from deploy.serve import bind_port, bind_socket, guarded, serving
from ingest.errors import FileError, UsageError
from ingest.log import topic_specs
from ingest.sqlite_log import SqliteLog
from search.account_store import AccountStore
from search.api_settings import ApiSettings


def made() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    @app.post("/")
    def answer() -> str:
        return "yes"

    return app


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[AccountStore]:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics(topic_specs())
    yield AccountStore(log)
    log.close()


@pytest.fixture
async def port(accounts: AccountStore) -> AsyncIterator[int]:
    settings = ApiSettings(port=0)
    listener = bind_port(settings, accounts=accounts)
    number = int(listener.getsockname()[1])
    app = guarded(made(), accounts=accounts, settings=settings)
    async with serving(app, listener):
        yield number


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("rebound.example:{port}", 400),
        ("127.0.0.1.evil.example", 400),
    ],
)
async def test_only_names_of_this_machine_are_answered(port: int, host: str, status: int) -> None:
    async with httpx.AsyncClient() as client:
        found = await client.get(
            f"http://127.0.0.1:{port}/", headers={"Host": host.format(port=port)}
        )
    assert found.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:{port}", 403),  # a page of ours sends a form token
        ("http://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("null", 403),
    ],
)
async def test_a_page_of_another_site_changes_nothing(
    port: int, origin: str | None, status: int
) -> None:
    headers = {"Origin": origin.format(port=port)} if origin else {}
    async with httpx.AsyncClient() as client:
        found = await client.post(f"http://127.0.0.1:{port}/", headers=headers)
        assert found.status_code == status
        if status == 403:
            assert found.headers["content-type"] == "application/problem+json"
        assert (await client.get(f"http://127.0.0.1:{port}/", headers=headers)).status_code == 200


@pytest.mark.parametrize("host", ["192.0.2.1", "::", "example.org", ""])
def test_an_address_that_others_reach_is_refused_without_an_account(
    accounts: AccountStore, host: str
) -> None:
    with pytest.raises(UsageError) as caught:
        bind_port(ApiSettings(host=host, port=0), accounts=accounts)
    assert caught.value.code == "no-account"
    assert "accounts add" in caught.value.hint


@pytest.mark.parametrize(
    "changes", [{"require_login": True}, {"behind_proxy": True}, {"hosts": ("news.example",)}]
)
def test_a_login_that_nobody_has_is_refused(
    accounts: AccountStore, changes: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        bind_port(ApiSettings(port=0, **changes), accounts=accounts)
    assert caught.value.code == "no-account"
    accounts.revoke(accounts.add("gone", scopes=("read",))[0].name)
    with pytest.raises(UsageError):
        bind_port(ApiSettings(port=0, **changes), accounts=accounts)
    accounts.add("newsdesk", scopes=("read",))
    bind_port(ApiSettings(port=0, **changes), accounts=accounts).close()


def test_an_address_that_others_reach_is_listened_on_with_an_account(
    accounts: AccountStore,
) -> None:
    accounts.add("newsdesk", scopes=("read",))
    bind_port(ApiSettings(host="0.0.0.0", port=0), accounts=accounts).close()  # noqa: S104  meant


def test_a_certificate_that_cannot_be_used_is_one_sentence(
    accounts: AccountStore, tmp_path: Path
) -> None:
    for name in (tmp_path / "none.pem", __file__):
        with pytest.raises(FileError) as caught:
            bind_port(ApiSettings(port=0, tls_certificate=str(name)), accounts=accounts)
        assert "https" in caught.value.sentence


def test_a_port_in_use_is_one_sentence(accounts: AccountStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(UsageError) as caught:
            bind_port(ApiSettings(port=number), accounts=accounts)
    assert f"Port {number}" in caught.value.sentence
    assert "--port" in caught.value.hint


async def test_the_socket_is_for_this_user_and_replaces_a_stale_one(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    bind_socket(path).close()
    assert path.exists()
    async with serving(made(), bind_socket(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get("http://wirewatch/")).json() == "yes"


async def test_no_answer_waits_for_the_reader_to_confirm_its_first_part(
    accounts: AccountStore,
) -> None:
    """Nagle's algorithm holds the second part of an answer back, 40 ms each time."""
    seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        seen.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = bind_port(ApiSettings(port=0), accounts=accounts)
    async with await asyncio.start_server(accepted, sock=listener):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        assert await seen
        writer.close()
