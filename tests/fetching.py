"""What the tests of hostile servers share: a fetcher, a neighbour and a measured fetch."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import FeedError
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.settings import FetchSettings, NetSettings
from tests.evil import GOOD, EvilServer

ROOT = Path(__file__).resolve().parent.parent
MAX_RESIDENT_BYTES = 300_000_000
"""The threshold of the faults' table."""


@asynccontextmanager
async def fetcher_for(server: EvilServer, **settings: Any) -> AsyncIterator[Fetcher]:
    """A fetcher that may reach ``server`` by its address in digits."""
    guard = Guard(NetSettings(allow=(server.host,)))
    fetcher = Fetcher(guard=guard, settings=FetchSettings(**settings))
    try:
        yield fetcher
    finally:
        await fetcher.close()


async def refusal(fetcher: Fetcher, url: str) -> FeedError:
    """The error of fetching ``url``."""
    with pytest.raises(FeedError) as caught:
        await fetcher.fetch(url)
    return caught.value


async def refusal_beside_a_neighbour(server: EvilServer, path: str, **settings: Any) -> FeedError:
    """The error of fetching ``path``, while another server's feed is read without delay (P4)."""
    async with (
        EvilServer() as good,
        fetcher_for(good) as reader,
        fetcher_for(server, **settings) as fetcher,
    ):
        bad = asyncio.create_task(refusal(fetcher, server.url(path)))
        for _ in range(10):
            started = time.monotonic()
            assert (await reader.fetch(good.url("/good"))).body == GOOD
            assert time.monotonic() - started < 1
        return await bad


async def measured_fetch(server: EvilServer, path: str) -> dict[str, Any]:
    """Code, sentence, peak of resident memory and seconds of one fetch in its own process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fetch_once", server.url(path), server.host,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    found: dict[str, Any] = json.loads(output)
    return found
