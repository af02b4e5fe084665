from __future__ import annotations

import time

import pytest

from tests.evil import EvilServer
from tests.fetching import fetcher_for, refusal, refusal_beside_a_neighbour


@pytest.mark.parametrize("path", ["/drip", "/drip-headers", "/silent"])
async def test_f04_a_server_that_drips_is_left_at_the_deadline(path: str) -> None:
    async with EvilServer() as server:
        started = time.monotonic()
        error = await refusal_beside_a_neighbour(server, path, total_seconds=1)
        assert 0.9 < time.monotonic() - started < 3
    assert error.sentence == "Timed out after 1 s."


async def test_f04_interim_answers_without_end_are_left_at_the_deadline() -> None:
    async with EvilServer() as server, fetcher_for(server, total_seconds=1) as fetcher:
        error = await refusal(fetcher, server.url("/flood-interim"))
    assert error.sentence == "Timed out after 1 s."


async def test_f04_redirects_share_one_deadline() -> None:
    async with EvilServer() as server:
        started = time.monotonic()
        error = await refusal_beside_a_neighbour(server, "/to//to//to//drip", total_seconds=1)
        assert time.monotonic() - started < 3
    assert error.sentence == "Timed out after 1 s."
