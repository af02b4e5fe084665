"""F30: a slow host among a thousand, and a host with many feeds, make no other feed late."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from ingest.feeds import make_feed
from ingest.log import NewRecord
from ingest.wire import encode
from tests.network import Names
from tests.newsroom import PollStage, until
from tests.newsserver import NewsServer, item, rss

HOSTS = 1_000
SLOW_FEEDS = 500
NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))


async def test_f30_a_slow_host_with_500_feeds_delays_none_of_1000_hosts(tmp_path: Path) -> None:
    finished: list[float] = []
    async with NewsServer() as quick, NewsServer() as slow:

        async def serve(_: web.Request) -> web.Response:
            finished.append(time.monotonic())
            return web.Response(body=NEWS.encode())

        quick.script("/rss", serve)
        for number in range(SLOW_FEEDS):
            slow.answer(f"/{number}", NEWS, seconds=0.5)
        names = [f"site{number}.test" for number in range(HOSTS)]
        answers: Any = {name: [["127.0.0.1"]] for name in [*names, "slow.test"]}
        resolver = Names(**answers)
        allowed = [f"{name}:{quick.port}" for name in names] + [f"slow.test:{slow.port}"]
        async with PollStage(tmp_path, *allowed, resolver=resolver) as stage:
            urls = [f"http://slow.test:{slow.port}/{number}" for number in range(SLOW_FEEDS)]
            urls += [f"http://{name}:{quick.port}/rss" for name in names]
            feeds = [make_feed(url, added=stage.clock()) for url in urls]
            stage.log.append(
                [NewRecord(topic="feeds", key=feed.id, value=encode(feed)) for feed in feeds]
            )
            stop = asyncio.Event()
            started = time.monotonic()
            running = asyncio.create_task(stage.poller.run(stop))
            try:
                await until(lambda: len(finished) == HOSTS, seconds=60)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        assert sorted(finished)[int(0.99 * HOSTS)] - started < 30
        assert slow.total() < SLOW_FEEDS / 2, "the slow host is far from done"
        assert slow.busiest == 1, "one connection a host"
