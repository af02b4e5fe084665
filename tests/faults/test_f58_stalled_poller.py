"""F58: a poller that stood still wakes after its feeds have moved, and does no harm."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from tests.newsroom import until
from tests.newsserver import item, rss
from tests.pollers import PATIENCE_SECONDS, SPREAD, Fleet, fleet


@pytest.fixture
async def ships(kafka: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet(kafka, tmp_path) as made:
        yield made


@pytest.mark.timeout(300)
async def test_f58_a_stalled_poller_writes_nothing_over_the_new_owner(ships: Fleet) -> None:
    old, new = rss(item("1", "Old news", link="https://harbour.example/old")), rss()
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow_for_the_first(request: web.Request) -> web.Response:
        if not request.headers["User-Agent"].startswith("first"):
            return web.Response(text=new, content_type="application/rss+xml")
        asked.set()
        await answered.wait()
        return web.Response(text=old, content_type="application/rss+xml")

    for number in SPREAD[1:]:
        ships.add(number)
    feed = ships.add(0)
    ships.site.script("/0", slow_for_the_first)
    first = await ships.start("first")
    await ships.at_rest(first, feeds=len(SPREAD))
    await asyncio.wait_for(asked.wait(), PATIENCE_SECONDS)
    first.signal(signal.SIGSTOP)
    second = await ships.start("second")
    await ships.at_rest(second, feeds=len(SPREAD))
    await until(lambda: feed.id in ships.generations(), seconds=PATIENCE_SECONDS)

    answered.set()
    first.signal(signal.SIGCONT)
    await until(lambda: not first.ids, seconds=PATIENCE_SECONDS)
    await ships.at_rest(first, second, feeds=len(SPREAD))
    assert "Old news" not in ships.articles()
    for found in ships.generations().values():
        assert found == sorted(found), "no older owner wrote after a newer one"
    assert await second.end() == 0
    await ships.at_rest(first, feeds=len(SPREAD))
