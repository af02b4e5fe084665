from __future__ import annotations

import pytest

from tests.evil import EvilServer
from tests.fetching import MAX_RESIDENT_BYTES, measured_fetch, refusal_beside_a_neighbour

IN_FLIGHT_BYTES = 8_000_000
"""What loopback sockets hold on both sides beyond the bytes that were read."""


@pytest.mark.parametrize("path", ["/endless", "/endless-chunks"])
async def test_f03_an_endless_body_is_dropped_after_10_mb(path: str) -> None:
    async with EvilServer() as server:
        found = await measured_fetch(server, path)
        sent = server.sent[path]
    assert found["sentence"] == "Refused: body larger than 10 MB."
    assert sent < 10_000_000 + IN_FLIGHT_BYTES
    assert found["peak"] < MAX_RESIDENT_BYTES


async def test_f03_a_body_that_says_it_is_2_gb_is_not_read_at_all() -> None:
    async with EvilServer() as server:
        error = await refusal_beside_a_neighbour(server, "/huge")
        sent = server.sent["/huge"]
    assert error.sentence == "Refused: body larger than 10 MB."
    assert sent < IN_FLIGHT_BYTES
