"""What the distributed stages carry on a real Kafka and Elasticsearch, and where the time goes.

``python -m tests.benchmarks.bench_cluster``: made-up news through each stage alone on a full
topic, with one process and two, one partition and four; through all at once; beside a loop of
Faust and bulk requests without any of ours; then the way from publication to webhook. Prints
figures and has no bar: both servers share this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import secrets
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from deploy.cluster import Cluster, load_servers
from ingest.feeds import make_feed
from ingest.guard import Guard
from ingest.log import Log, Partition
from ingest.requests import Request, request_record
from ingest.settings import NetSettings
from search.sealed_secrets import KEY_BYTES, SealedSecrets
from search.subscription_store import SubscriptionStore
from tests.alert_book import ONE_BY_ONE, AlertBook
from tests.benchmarks.__main__ import machine
from tests.benchmarks.bench_end_to_end import WORDS, newsroom, subscription_records
from tests.benchmarks.stage_runs import PLAIN, Carried, Room, carried, counting
from tests.ledger import COMMON, Item, Ledger

ARTICLES, FEEDS, SUBSCRIPTIONS = 3_000, 60, 1_000
STAGES = ("poll", "tag", "group", "index", "alert")
LATE_ARTICLES, PER_SECOND, LATE_FEEDS = 100, 1.0, 10
WAIT_SECONDS = 60.0
ROW = "{:<24}{:>12}{:>10}{:>12}{:>12}{:>12}"
TOPICS = {"articles": "polled", "tagged": "tagged", "stories": "grouped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A newsroom of so many articles."""

    host: str
    feeds: Sequence[str]
    articles: int


async def alone(room: Room, news: News, *, workers: int, plain: bool) -> dict[str, Carried]:
    """Each stage after the one before has done all."""
    await asyncio.to_thread(_prepared, room, news)
    found: dict[str, Carried] = {}
    with counting(room) as counters:
        for stage in STAGES:
            many = 1 if stage == "group" else workers  # there is one order of arrival
            count = counters[stage]
            records = count()[1] or news.articles
            with room.stages(*[stage] * many) as running:
                done = partial(_first, count)
                found[stage] = await carried(
                    room, running, done, total=news.articles, records=records
                )
            print(_row(stage, found[stage]), flush=True)
            if plain and stage == "poll":
                with room.plain() as running:
                    found[PLAIN] = await carried(
                        room,
                        running,
                        partial(_first, counters[PLAIN]),
                        total=news.articles,
                        records=news.articles,
                    )
                print(_row(PLAIN, found[PLAIN]), flush=True)
    return found


def _first(count: Callable[[], tuple[int, int]]) -> int:
    return count()[0]


async def together(room: Room, news: News) -> Carried:
    """All stages at once: carried is what the index and the alert stage have done."""
    await asyncio.to_thread(_prepared, room, news)
    with counting(room) as counters:

        def done() -> int:
            polled, tagged = counters["poll"]()[0], counters["tag"]()[0]
            if polled < news.articles or tagged < polled:
                return min(polled, tagged, news.articles - 1)
            ways = [counters[stage]() for stage in STAGES[2:]]
            return news.articles - any(reached < there for reached, there in ways)

        with room.stages(*STAGES) as running:
            return await carried(room, running, done, total=news.articles, records=news.articles)


def _prepared(room: Room, news: News) -> None:
    room.set_up(news.feeds)
    with room.log() as log:
        target = f"file:{room.folder / room.prefix}.jsonl"
        log.append([*subscription_records(log, SUBSCRIPTIONS, target=target)])


async def latency(room: Room, ledger: Ledger, book: AlertBook, *, articles: int) -> list[Item]:
    """Publish one article after the other, each with the wish to poll its feed now."""
    await asyncio.to_thread(room.set_up, ledger.feed_urls)
    with room.log() as log, room.stages(*STAGES) as running:
        guard = Guard(NetSettings(allow=(book.host,)))
        vault = SealedSecrets(str(room.settings["data.secret_key_file"]))
        store = SubscriptionStore(log, secrets=vault, guard=guard)
        await asyncio.to_thread(store.add, name="all", query=COMMON, to=(book.url("all"),))
        await _published(ledger, log, LATE_FEEDS)  # left out: what the first of each feed loads
        await _received(book, LATE_FEEDS, said=running["poll-0"].said)
        await _published(ledger, log, articles)
        await _received(book, LATE_FEEDS + articles, said=running["poll-0"].said)
    return ledger.items[LATE_FEEDS:]


async def _published(ledger: Ledger, log: Log, count: int) -> None:
    for _ in range(count):
        ledger.issue()
        item = ledger.items[-1]
        now = datetime.now(UTC)
        feed = make_feed(ledger.feed_urls[item.feed], added=now)
        wish = request_record(log, Request(kind="poll", target=feed.id, at=now), shard=feed.shard)
        await asyncio.wrap_future(log.submit([wish]))
        await asyncio.sleep(1 / PER_SECOND)


async def _received(book: AlertBook, count: int, *, said: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while len({one.url for one in book.receipts}) < count:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise RuntimeError(f"{len(book.receipts)} of {count} came: {said()}") from None


def _stations(log: Log) -> dict[str, dict[str, datetime]]:
    """By topic and article: when it was first appended there."""
    found: dict[str, dict[str, datetime]] = {}
    for topic in TOPICS:
        found[topic] = {}
        for number in range(log.partitions(topic)):
            offset, end = log.bounds(Partition(topic, number))
            while offset < end:
                for record in log.read(Partition(topic, number), offset):
                    offset = record.offset + 1
                    found[topic].setdefault(record.key, record.appended)
    return found


async def late(folder: Path, cluster: Cluster, *, articles: int) -> None:
    """Print how long it takes from publication to each station and to the webhook."""
    key = folder / "key"
    key.write_bytes(base64.b64encode(secrets.token_bytes(KEY_BYTES)))
    async with Ledger(feeds=LATE_FEEDS, seed=9, words=WORDS) as ledger, AlertBook() as book:
        settings = {
            "net.allow": f"{ledger.host},{book.host}",
            "data.secret_key_file": key,
            **ONE_BY_ONE,
        }
        room = Room(folder=folder, cluster=cluster, prefix="late", settings=settings)
        items = await latency(room, ledger, book, articles=articles)
        with room.log() as log:
            stations = await asyncio.to_thread(_stations, log)
    issued = {item.url: item.issued for item in items}
    first = {one.url: one for one in reversed(book.receipts) if one.url in issued}
    print(f"\nlatency, {len(first)} articles at {PER_SECOND:g}/s, each polled on request")
    for topic, name in TOPICS.items():
        times = [
            stations[topic][one.article_id] - issued[url]
            for url, one in first.items()
            if one.article_id in stations[topic]
        ]
        _tell(name, [one.total_seconds() for one in times])
    _tell("webhook", [(one.at - issued[url]).total_seconds() for url, one in first.items()])


def _tell(name: str, waits: Sequence[float]) -> None:
    cuts = statistics.quantiles(waits, n=100)
    print(f"  {name:<10} p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, longest {max(waits):.2f} s")


def _row(name: str, one: Carried) -> str:
    return ROW.format(
        name,
        f"{one.per_second:.0f}",
        f"{one.start_seconds:.1f}",
        f"{one.ours:.2f}",
        f"{one.kafka:.2f}",
        f"{one.elasticsearch:.2f}",
    )


def _head(title: str) -> None:
    print(f"\n{title}")
    columns = ("articles/s", "start s", "CPU s/1,000", "Kafka's", "Elastic's")
    print(ROW.format("", *columns), flush=True)


def _compare(ours: Sequence[Carried], plain: Carried) -> None:
    alone = sum(one.ours for one in ours) / plain.ours
    whole = sum(map(_with_servers, ours)) / _with_servers(plain)
    print(f"tag, group and index take {whole:.1f} times the plain loop's CPU with both servers,")
    print(f"{alone:.1f} times without them")


def _with_servers(one: Carried) -> float:
    return one.ours + one.kafka + one.elasticsearch


def _shares(found: Mapping[str, Carried]) -> None:
    print("\nprocessor time of our processes by part, their start included")
    for name, one in found.items():
        total = sum(one.parts.values())
        if total:
            parts = sorted(one.parts.items(), key=lambda part: -part[1])
            said = ", ".join(f"{part} {took / total:.0%}" for part, took in parts if took)
            print(f"  {name:<6} {total:.1f} s: {said}")


async def measure(folder: Path, cluster: Cluster, news: News, rounds: Sequence[str]) -> None:
    """Print all figures."""
    settings = {"net.allow": news.host, **ONE_BY_ONE}
    rooms = {
        name: Room(folder=folder, cluster=cluster, prefix=name, partitions=many, settings=settings)
        for name, many in (("one", 4), ("two", 4), ("narrow", 1), ("whole", 4))
    }
    if "one" in rounds:
        _head("each stage alone, one process, four partitions")
        first = await alone(rooms["one"], news, workers=1, plain=True)
        _compare([first[stage] for stage in ("tag", "group", "index")], first[PLAIN])
        _shares(first)
    if "two" in rounds:
        _head("each stage alone, two processes, four partitions")
        await alone(rooms["two"], news, workers=2, plain=False)
    if "narrow" in rounds:
        _head("each stage alone, one process, one partition")
        await alone(rooms["narrow"], news, workers=1, plain=False)
    if "whole" in rounds:
        _head("all stages at once")
        print(_row("whole", await together(rooms["whole"], news)), flush=True)
    if "late" in rounds:
        await late(folder, cluster, articles=LATE_ARTICLES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0."""
    parser = argparse.ArgumentParser(prog="bench_cluster", description=__doc__)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--rounds", default="one,two,narrow,whole,late")
    given = parser.parse_args(arguments)
    print(machine())
    with (
        tempfile.TemporaryDirectory(prefix="wirewatch-bench-") as name,
        newsroom(feeds=FEEDS, articles=given.articles, words=WORDS) as (host, feeds),
        Cluster.running(Path(name) / "cluster", load_servers()) as cluster,
    ):
        news = News(host=host, feeds=feeds, articles=given.articles)
        asyncio.run(measure(Path(name), cluster, news, given.rounds.split(",")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
