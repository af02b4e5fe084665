"""F37, the pollers' part: the broker dies while feeds are polled, and comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from tests.newsroom import until
from tests.newsserver import item, rss
from tests.pollers import PATIENCE_SECONDS, fleet
from tests.tcp_proxy import ProxiedKafka

FEEDS = 4


@pytest.mark.timeout(300)
async def test_f37_polling_pauses_without_a_broker_and_loses_nothing_of_the_time_between(
    mortal_kafka: KafkaServer, tmp_path: Path
) -> None:
    async with fleet(mortal_kafka.address, tmp_path) as ships:
        for number in range(FEEDS):
            ships.add(number)
        poller = await ships.start("first")
        await ships.at_rest(poller, feeds=FEEDS)
        await until(lambda: len(ships.articles()) == FEEDS, seconds=PATIENCE_SECONDS)

        mortal_kafka.kill()
        for number in range(FEEDS):
            late = item("2", f"Late {number}", link=f"https://harbour.example/late/{number}")
            ships.site.answer(f"/{number}", rss(late), etag='"late"')
        await until(lambda: bool(poller.health["pause"]), seconds=PATIENCE_SECONDS)
        await asyncio.to_thread(mortal_kafka.start)

        await ships.at_rest(poller, feeds=FEEDS)
        await until(lambda: not poller.health["pause"], seconds=PATIENCE_SECONDS)
        wanted = {f"Late {number}" for number in range(FEEDS)}
        await until(lambda: wanted <= set(ships.articles()), seconds=PATIENCE_SECONDS)
        assert await poller.end() == 0


@pytest.mark.timeout(300)
async def test_f37_polling_pauses_before_a_black_hole_and_loses_nothing_of_the_time_between(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    server = ProxiedKafka(tmp_path / "kafka", server_files)
    try:
        await asyncio.to_thread(server.start)
        async with fleet(server.proxy.address, tmp_path) as ships:
            ships.add(0)
            poller = await ships.start("first")
            await ships.at_rest(poller, feeds=1)
            await until(lambda: len(ships.articles()) == 1, seconds=PATIENCE_SECONDS)

            server.proxy.black_hole()
            late = item("2", "Late", link="https://harbour.example/late")
            ships.site.answer("/0", rss(late), etag='"late"')
            try:
                await until(lambda: bool(poller.health["pause"]), seconds=PATIENCE_SECONDS)
            finally:
                server.proxy.flow()

            await until(lambda: not poller.health["pause"], seconds=PATIENCE_SECONDS)
            await until(lambda: "Late" in ships.articles(), seconds=PATIENCE_SECONDS)
            assert await poller.end() == 0
    finally:
        server.proxy.down()
        await asyncio.to_thread(server.stop)
