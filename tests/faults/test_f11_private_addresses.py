from __future__ import annotations

import asyncio

import pytest

from ingest.errors import BlockedAddressError
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.settings import FetchSettings, NetSettings
from tests.evil import EvilServer
from tests.fetching import fetcher_for, refusal
from tests.network import Names, NoSockets

LITERALS = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254",  # noqa: S104 - values
    "172.16.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "[::]", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]",
    "[::ffff:7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[100::1]", "[2001::1]",
    "[2001:db8::1]", "[2002:7f00:1::]", "[3fff::1]", "[5f00::1]", "[fc00::1]", "[fd12::1]",
    "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[ff02::1]",
]  # fmt: skip
SPELLINGS = [
    "0x7f.1", "2130706433", "017700000001", "127.1", "１２７.０.０.１", "127。0。0。1", "localhost",
    "localhost.", "LOCALHOST", "0x7f000001", "127.0.0.1.", "%31%32%37.0.0.1", "①②⑦.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", LITERALS + SPELLINGS)
async def test_f11_no_socket_is_opened_to_a_private_address(host: str) -> None:
    sockets = NoSockets()
    fetcher = Fetcher(guard=Guard(), settings=FetchSettings(), open_socket=sockets)
    error = await refusal(fetcher, f"http://{host}/latest/meta-data/")
    await fetcher.close()
    assert sockets.addresses == []
    if not host.startswith("%"):  # no host name at all: refused as a URL
        assert error.sentence.startswith("Blocked: private address")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", *SPELLINGS])
async def test_f11_a_redirect_to_the_own_machine_reaches_no_listener(host: str) -> None:
    touched: list[object] = []
    decoy = await asyncio.start_server(lambda *peer: touched.append(peer), "127.0.0.1", 0)
    port = decoy.sockets[0].getsockname()[1]
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        location = f"http://{host}:{port}/".encode().decode("latin-1")
        server.handlers["/away"] = lambda exchange: exchange.answer(
            b"", status="302 Found", Location=location.encode("latin-1").decode()
        )
        error = await refusal(fetcher, server.url("/away"))
    decoy.close()
    assert touched == []
    assert error.code in {"blocked-address", "url"}


async def test_f11_allowing_one_port_by_name_allows_no_other() -> None:
    async with EvilServer() as allowed, EvilServer() as other, fetcher_for(allowed) as fetcher:
        with pytest.raises(BlockedAddressError):
            await fetcher.fetch(allowed.url(f"/to/{other.url('/good')}"))
        assert other.connections == 0


async def test_f11_a_name_is_blocked_for_the_address_it_has() -> None:
    sockets = NoSockets()
    resolver = Names(metadata_example=[["169.254.169.254"]])
    guard = Guard(NetSettings(allow=("metadata.example:8080",)))
    fetcher = Fetcher(guard=guard, settings=FetchSettings(), resolver=resolver, open_socket=sockets)
    error = await refusal(fetcher, "http://metadata.example/")
    await fetcher.close()
    assert error.sentence == "Blocked: private address (metadata.example is 169.254.169.254)."
    assert sockets.addresses == []
