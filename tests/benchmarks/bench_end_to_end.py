"""What the whole pipeline carries: articles a second and memory, with 1,000 subscriptions.

``python -m tests.benchmarks.bench_end_to_end``: a newsroom in a process of its own serves 100
feeds of 50 articles of 300 words; one ``wirewatch run --once`` polls, tags, groups,
indexes and alerts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.folder import DataFolder
from ingest.log import Log, NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from search.subscriptions import Subscription, shard_of
from tests.alert_book import ONE_BY_ONE
from tests.benchmarks.bench_matching import QueryMaker
from tests.ledger import Writer
from tests.running import ROOT, Place, Running

FEEDS, ARTICLES, WORDS, SUBSCRIPTIONS = 100, 5_000, 300, 1_000
MIN_PER_SECOND = 200.0
MAX_MEGABYTES = 500.0
SEED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One run: its totals as printed, and the most memory of all its processes."""

    totals: dict[str, float]
    megabytes: float

    @property
    def per_second(self) -> float:
        return self.totals["articles"] / self.totals["seconds"]


@contextmanager
def newsroom(*, feeds: int, articles: int, words: int) -> Iterator[tuple[str, list[str]]]:
    """Its host and feed URLs."""
    wanted = ("--feeds", str(feeds), "--items", str(articles), "--words", str(words))
    command = [sys.executable, "-m", "tests.ledger", *wanted, "--seed", str(SEED)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield said["host"], said["feeds"]
        process.stdin.close()


def subscribe(place: Place, count: int, *, target: str = "") -> None:
    """``count`` queries as press watchers write them, each to ``target`` (default: a file)."""
    log = SqliteLog(DataFolder(place.data).log)
    log.ensure_topics(topic_specs())
    target = target or f"file:{place.folder / 'alerts.jsonl'}"
    log.append([*subscription_records(log, count, target=target)])
    log.close()


def subscription_records(log: Log, count: int, *, target: str) -> Iterator[NewRecord]:
    """The records of ``count`` subscriptions to ``target``."""
    writer = Writer(seed=SEED, words=WORDS)
    corpus = [" ".join(writer.write(marked=False)) for _ in range(500)]
    maker = QueryMaker(corpus, seed=SEED)
    chosen = random.Random(SEED)
    for number in range(count):
        made_id = f"bench-{number:06d}-{chosen.randrange(10**6):06d}"
        made = Subscription(
            id=made_id,
            name=f"subscription {number}",
            query=maker.query(),
            to=(target,),
            shard=shard_of(made_id),
            created=datetime.now(UTC),
        )
        yield NewRecord(
            topic="subscriptions",
            key=made_id,
            value=encode(made),
            partition=made.shard % log.partitions("subscriptions"),
        )


async def carry(place: Place, urls: Sequence[str]) -> Carried:
    """One ``run --once`` over the feeds."""
    feeds = place.folder / "feeds.txt"
    await asyncio.to_thread(feeds.write_text, "\n".join(urls))
    child = Running(place, "run", "--once", "--json", "--no-web", "--feeds", str(feeds))
    most = 0
    try:
        while child.process.poll() is None:
            most = max(most, child.resident_bytes())
            await asyncio.sleep(0.25)
    finally:
        child.kill()
    if child.process.returncode:
        raise RuntimeError(child.said())
    lines = await asyncio.to_thread(child.output.read_text)
    return Carried(totals=json.loads(lines.splitlines()[-1]), megabytes=most / 1e6)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 where one misses its bar."""
    parser = argparse.ArgumentParser(prog="bench_end_to_end", description=__doc__)
    parser.add_argument("--articles", type=int, default=ARTICLES)
    parser.add_argument("--subscriptions", type=int, default=SUBSCRIPTIONS)
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="wirewatch-bench-") as folder,
        newsroom(feeds=FEEDS, articles=given.articles, words=WORDS) as (host, urls),
    ):
        place = Place(folder=Path(folder), settings={"net.allow": host, **ONE_BY_ONE})
        subscribe(place, given.subscriptions)
        carried = asyncio.run(carry(place, urls))
    print(json.dumps(carried.totals))
    print(
        f"end to end, {given.subscriptions:,} subscriptions: "
        f"{carried.per_second:.0f} articles/s (bar {MIN_PER_SECOND:g}), "
        f"{carried.megabytes:.0f} MB (bar {MAX_MEGABYTES:g})"
    )
    if carried.totals["articles"] != given.articles:
        print(f"{carried.totals['articles']} of {given.articles} articles came through")
        return 1
    return int(carried.per_second < MIN_PER_SECOND or carried.megabytes > MAX_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
