"""Several pollers share the feeds; real processes over a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from ingest.feeds import shard_of
from ingest.log import Record, TopicSpec
from ingest.poll_stage import PollStage
from ingest.requests import Request, request_record
from ingest.shards import Shards
from tests.newsroom import PollStage as RoomOfOne
from tests.newsroom import until
from tests.pollers import PATIENCE_SECONDS, Fleet, fleet

pytestmark = pytest.mark.timeout(400)

FEEDS = 32


class Nobody:
    """An owner that does nothing."""

    def gained(self, partition: int, records: Sequence[Record]) -> None:
        """Nothing."""

    def changed(self, records: Sequence[Record]) -> None:
        """Nothing."""

    def lost(self, partitions: frozenset[int]) -> None:
        """Nothing."""


@pytest.fixture
async def ships(kafka: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet(kafka, tmp_path) as made:
        yield made


async def test_pollers_share_the_feeds_and_take_over_from_one_that_dies(ships: Fleet) -> None:
    for number in range(FEEDS):
        ships.add(number)
    first = await ships.start("first")
    await ships.at_rest(first, feeds=FEEDS)
    second = await ships.start("second")
    await ships.at_rest(first, second, feeds=FEEDS)
    third = await ships.start("third")
    await ships.at_rest(first, second, third, feeds=FEEDS)
    await second.kill()
    await ships.at_rest(first, third, feeds=FEEDS)
    assert await third.end() == 0
    await ships.at_rest(first, feeds=FEEDS)
    await until(lambda: len(ships.articles()) == FEEDS, seconds=PATIENCE_SECONDS)
    assert all(ships.site.count(f"/{number}") for number in range(FEEDS)), "none is forgotten"


async def test_the_list_and_wishes_reach_the_owner_of_a_feed(ships: Fleet) -> None:
    first, second = await ships.start("first"), await ships.start("second", seldom=True)
    feeds = [ships.add(number) for number in range(FEEDS)]
    await ships.at_rest(first, second, feeds=FEEDS)
    late = ships.add(FEEDS)
    await ships.at_rest(first, second, feeds=FEEDS + 1)
    await until(lambda: ships.site.count(f"/{FEEDS}") > 0, seconds=PATIENCE_SECONDS)

    seldom = next(feed for feed in [*feeds, late] if feed.id in second.ids)
    path = f"/{seldom.url.rsplit('/', 1)[1]}"
    await until(lambda: ships.site.count(path) == 1, seconds=PATIENCE_SECONDS)
    wish = Request(kind="poll", target=seldom.id, at=datetime.now(UTC))
    ships.log.append([request_record(ships.log, wish, shard=seldom.shard)])
    await until(lambda: ships.site.count(path) == 2, seconds=PATIENCE_SECONDS)
    await until(
        lambda: ships.log.table("feed-state").get(seldom.id) is not None, seconds=PATIENCE_SECONDS
    )

    ships.write(seldom, None)
    await ships.at_rest(first, second, feeds=FEEDS)
    await until(
        lambda: (
            ships.log.table("feed-state").get(seldom.id) is None
            and not list(ships.log.table("entries").items(seldom.id))
        ),
        seconds=PATIENCE_SECONDS,
    )


async def test_a_host_whose_feeds_are_another_pollers_gets_our_part_of_its_rate(
    tmp_path: Path,
) -> None:
    async with RoomOfOne(tmp_path) as room:
        room.log.ensure_topics([TopicSpec(name="feeds", compacted=True, partitions=4)])
        other = Shards(room.log, Nobody(), group="poll", topic="feeds")
        stage, stop = PollStage(room.log, room.polling), asyncio.Event()
        running = asyncio.create_task(stage.run(stop))

        def halved() -> bool:
            other.step(0)
            return stage.health().owned == len(other.owned()) == 2

        await until(halved, seconds=PATIENCE_SECONDS)
        shares = {}
        for number in range(100):
            url = f"https://{number}.example/rss"
            shares[url] = room.slots.share_of(url)
            assert shares[url] == (0.5 if other.owns(shard_of(url)) else 1.0)
        assert set(shares.values()) == {0.5, 1.0}
        stop.set()
        await running
