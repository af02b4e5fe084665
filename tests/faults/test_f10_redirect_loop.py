from __future__ import annotations

import pytest

from tests.evil import EvilServer
from tests.fetching import fetcher_for, refusal


@pytest.mark.parametrize("path", ["/loop", "/chain/0"])
async def test_f10_the_sixth_redirect_is_not_followed_and_the_chain_is_shown(path: str) -> None:
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        error = await refusal(fetcher, server.url(path))
        assert len(server.heads) == 6
    assert error.code == "redirects"
    assert error.sentence.startswith(f"Too many redirects: {server.url(path)} → ")
    assert error.sentence.count(" → ") == 6


async def test_f10_five_redirects_are_followed() -> None:
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        result = await fetcher.fetch(server.url("/to/" * 5 + "/good"))
    assert result.status == 200
    assert len(result.hops) == 5
