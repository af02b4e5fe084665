from __future__ import annotations

import asyncio
import socket

import pytest
from yarl import URL

from ingest import connections
from ingest.connections import Connections, GuardedResolver, RefusedAddressError, SystemResolver
from ingest.errors import BlockedAddressError
from ingest.guard import Guard
from ingest.network_errors import NETWORK_ERRORS, explain
from ingest.settings import NetSettings
from tests.evil import EvilServer
from tests.network import Names


async def test_a_post_is_sent_once_and_its_redirect_is_not_followed() -> None:
    async with EvilServer() as server:
        sender = Connections(Guard(NetSettings(allow=(server.host,))))
        response = await sender.request(
            "POST",
            URL(server.url("/to//good")),
            headers={"Content-Type": "application/json"},
            connect_seconds=5,
            data=b"{}",
        )
        response.close()
        await sender.close()
        assert response.status == 302
        assert len(server.heads) == 1
        assert server.heads[0].startswith(b"POST /to//good HTTP/1.1\r\n")


async def test_a_post_to_a_private_address_opens_no_connection() -> None:
    async with EvilServer() as server:
        sender = Connections(Guard(), resolver=Names(hooks_example=[["127.0.0.1"]]))
        with pytest.raises(BlockedAddressError):
            await sender.request(
                "POST", URL(server.url("/good")), headers={}, connect_seconds=5, data=b"{}"
            )
        url = URL(server.url("/good", name="hooks.example"))
        with pytest.raises(NETWORK_ERRORS) as caught:
            await sender.request("POST", url, headers={}, connect_seconds=5, data=b"{}")
        await sender.close()
        assert isinstance(explain(caught.value, url), BlockedAddressError)
        assert server.connections == 0


async def test_a_name_is_looked_up_by_the_system_where_nothing_else_is_given() -> None:
    resolver = SystemResolver()
    found = await resolver.resolve("localhost", 80)
    assert {answer["host"] for answer in found} <= {"127.0.0.1", "::1"}
    assert {answer["port"] for answer in found} == {80}
    with pytest.raises(RefusedAddressError):
        await GuardedResolver(resolver).resolve("localhost", 80)
    with pytest.raises(UnicodeError):
        await resolver.resolve("é" * 80, 80)


async def test_a_look_up_given_up_keeps_its_place_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MAX_LOOKUPS", 1)
    resolver = SystemResolver()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(resolver.resolve("localhost", 80), 0)
    assert await asyncio.wait_for(resolver.resolve("localhost", 80), 5)


async def test_a_look_up_that_fails_raises_what_the_system_said() -> None:
    with pytest.raises(socket.gaierror):
        await SystemResolver().resolve("no-such-name.invalid", 80)
