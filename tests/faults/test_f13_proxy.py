from __future__ import annotations

import asyncio
import os

import pytest

from ingest.guard import proxy_warning
from tests.evil import EvilServer
from tests.fetching import fetcher_for, refusal


async def test_f13_a_proxy_in_the_environment_is_never_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    touched: list[object] = []
    decoy = await asyncio.start_server(lambda *peer: touched.append(peer), "127.0.0.1", 0)
    proxy = f"http://user:secret@127.0.0.1:{decoy.sockets[0].getsockname()[1]}"
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with EvilServer() as server, fetcher_for(server) as fetcher:
        assert (await fetcher.fetch(server.url("/good"))).status == 200
        blocked = await refusal(fetcher, "http://127.0.0.1:1/")
    decoy.close()
    assert blocked.code == "blocked-address"
    assert touched == []
    warning = proxy_warning(os.environ)
    assert warning.startswith("A proxy is set (ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, http")
    assert "the guard then checks" in warning
    assert "secret" not in warning
