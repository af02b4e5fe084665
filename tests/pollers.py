"""Pollers of many machines as child processes of a test, over one Kafka and one news site."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from ingest.article import Sighting
from ingest.feeds import SHARDS, Feed, FeedState, make_feed
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Partition, TopicSpec, topic_specs
from ingest.wire import decode, encode
from tests.children import Child
from tests.newsroom import until
from tests.newsserver import NewsServer, item, rss

PATIENCE_SECONDS = 90.0
"""A poller starts in two seconds, in thirty where ten others want the same two processors."""

SPREAD = (0, 1, 10, 11, 20, 21, 30, 31)
"""Numbers of feeds of which each half of the shards has some, be it low or high, odd or even."""

_SHARDED = ("feeds", "feed-state", "entries", "requests")


def sharded_specs() -> list[TopicSpec]:
    """The topics of the log as they are in Kafka."""
    return [
        dataclasses.replace(spec, partitions=SHARDS if spec.name in _SHARDED else 1)
        for spec in topic_specs()
    ]


class PollerProcess(Child):
    """One poller; ``ids`` are the feeds it says are its own."""

    health: Mapping[str, Any] = MappingProxyType({})
    ids: frozenset[str] = frozenset()

    def said(self, word: dict[str, Any]) -> None:
        self.health = word or self.health
        self.ids = frozenset(word.get("ids", ()))


class Fleet:
    """Feeds on a site, spread over the shards, and the pollers that share them."""

    def __init__(self, kafka: str, folder: Path, site: NewsServer) -> None:
        self.prefix = f"fleet-{uuid4().hex[:8]}."
        self.site = site
        self.settings = KafkaSettings(bootstrap=kafka, prefix=self.prefix)
        self.log = KafkaLog(self.settings)
        self.log.ensure_topics(sharded_specs())
        self.pollers: list[PollerProcess] = []
        self._folder = folder

    async def start(self, name: str, *, years: int = 0, seldom: bool = False) -> PollerProcess:
        """A poller whose clock is ``years`` ahead; ``seldom`` polls each feed once in an hour."""
        folder = self._folder / name
        folder.mkdir()
        seconds = "3600" if seldom else "1"
        child = (self.settings.bootstrap, self.prefix, name, str(folder), self.site.host)
        poller = await PollerProcess.started(
            "tests.poll_child", *child, str(years), seconds, errors=folder / "log"
        )
        self.pollers.append(poller)
        return poller

    def add(self, number: int) -> Feed:
        """A feed in shard ``number``, with one article of its own."""
        self.site.answer(f"/{number}", rss(item("1", f"News {number}", link=link(number))))
        feed = make_feed(self.site.url(f"/{number}"), added=datetime.now(UTC))
        feed = dataclasses.replace(feed, shard=number % SHARDS)
        self.write(feed, encode(feed))
        return feed

    def write(self, feed: Feed, value: bytes | None) -> None:
        """List ``feed`` so, or take it off the list."""
        partition = feed.shard % SHARDS
        self.log.append([NewRecord(topic="feeds", key=feed.id, value=value, partition=partition)])

    def articles(self) -> list[str]:
        """The title of every sighting in the log, in order."""
        records = self.log.read(Partition("articles"), 0, max_records=10_000)
        return [decode(Sighting, record.value or b"").article.title for record in records]

    def generations(self) -> dict[str, list[int]]:
        """By feed: the generation of each state that was written, in the log's order."""
        found: dict[str, list[int]] = {}
        for number in range(SHARDS):
            for record in self.log.read(Partition("feed-state", number), 0, max_records=10_000):
                if record.value is not None:
                    state = decode(FeedState, record.value)
                    found.setdefault(state.feed_id, []).append(state.generation)
        return found

    async def at_rest(self, *pollers: PollerProcess, feeds: int) -> None:
        """Wait until ``pollers`` own all ``feeds`` between them, each once."""

        def shared() -> bool:
            owned = [one.ids for one in pollers]
            return all(owned) and sum(map(len, owned)) == feeds == len(frozenset().union(*owned))

        await until(shared, seconds=PATIENCE_SECONDS)


def link(number: int) -> str:
    """Where the article of feed ``number`` is."""
    return f"https://harbour.example/{number}"


@contextlib.asynccontextmanager
async def fleet(kafka: str, folder: Path) -> AsyncIterator[Fleet]:
    """A fleet without pollers; those that are started are killed in the end."""
    async with NewsServer() as site:
        made = Fleet(kafka, folder, site)
        try:
            yield made
        finally:
            for poller in made.pollers:
                await poller.kill()
            made.log.close()
