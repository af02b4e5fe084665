from __future__ import annotations

import asyncio

from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.settings import FetchSettings
from tests.fetching import refusal
from tests.network import Names, NoSockets


async def test_f12_an_answer_that_turns_private_is_never_connected_to() -> None:
    touched: list[object] = []
    decoy = await asyncio.start_server(lambda *peer: touched.append(peer), "127.0.0.1", 0)
    port = decoy.sockets[0].getsockname()[1]
    sockets = NoSockets()
    resolver = Names(rebinds_example=[["8.8.8.8"], ["127.0.0.1"], ["8.8.4.4"], ["127.0.0.1"]])
    fetcher = Fetcher(
        guard=Guard(), settings=FetchSettings(), resolver=resolver, open_socket=sockets
    )
    codes = [(await refusal(fetcher, f"http://rebinds.example:{port}/")).code for _ in range(4)]
    await fetcher.close()
    decoy.close()
    assert codes == ["refused", "blocked-address", "refused", "blocked-address"]
    # Each request looks up once and connects to that very answer.
    assert sockets.addresses == ["8.8.8.8", "8.8.4.4"]
    assert touched == []


async def test_f12_one_private_address_among_public_ones_blocks_the_name() -> None:
    for answers in (["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"]):
        sockets = NoSockets()
        fetcher = Fetcher(
            guard=Guard(),
            settings=FetchSettings(),
            resolver=Names(mixed_example=[answers]),
            open_socket=sockets,
        )
        error = await refusal(fetcher, "https://mixed.example/")
        await fetcher.close()
        assert error.sentence.startswith("Blocked: private address (mixed.example is ")
        assert sockets.addresses == []
