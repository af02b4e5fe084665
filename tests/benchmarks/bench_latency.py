"""From the end of a fetch to the receiver of the alert, while news comes in steadily.

``python -m tests.benchmarks.bench_latency``: 20 articles a second for a minute into a running
``wirewatch run`` with 1,000 subscriptions; every article alerts one more, over a webhook.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ingest.article import Sighting
from ingest.log import Partition
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode
from tests.alert_book import ONE_BY_ONE, AlertBook, Receipt
from tests.benchmarks.bench_end_to_end import SUBSCRIPTIONS, subscribe
from tests.ledger import COMMON, Ledger
from tests.running import Place, Running

PER_SECOND, SECONDS, FEEDS, WORDS = 20.0, 60.0, 10, 300
MAX_MEDIAN_SECONDS, MAX_P99_SECONDS = 0.5, 1.5
WARM_UP_SECONDS = 5.0
"""Left out: the language model is loaded with the first article."""

QUIET_SECONDS = 20.0
POLLING = {"poll.min_seconds": 0.5, "poll.default_seconds": 0.5, "poll.max_seconds": 1.0}


async def measure(folder: Path, *, seconds: float) -> list[float]:
    """Seconds from each article's fetch to the first receipt of its alert."""
    total = int((seconds + WARM_UP_SECONDS) * PER_SECOND)
    async with Ledger(feeds=FEEDS, seed=9, words=WORDS) as ledger, AlertBook() as book:
        settings = {**POLLING, **ONE_BY_ONE, "net.allow": f"{ledger.host},{book.host}"}
        place = Place(folder=folder, settings=settings)
        await asyncio.to_thread(subscribe, place, SUBSCRIPTIONS, target=book.url("others"))
        await asyncio.to_thread(place.subscribe, "everything", COMMON, book.url("everything"))
        feeds = folder / "feeds.txt"
        await asyncio.to_thread(feeds.write_text, "\n".join(ledger.feed_urls))
        child = Running(place, "run", "--no-web", "--feeds", str(feeds))
        try:
            await child.ready()
            await ledger.keep_issuing(per_second=PER_SECOND, total=total)
            await _received(book, total)
            await child.terminate()
        finally:
            child.kill()
        early = {item.url for item in ledger.items[: int(WARM_UP_SECONDS * PER_SECOND)]}
        receipts = [one for one in _first(book) if one.url not in early]
        fetched = await asyncio.to_thread(_fetched, place)
    if len(receipts) != total - len(early):
        raise RuntimeError(f"{len(receipts)} of {total - len(early)} alerts arrived")
    return [(one.at - fetched[one.article_id]).total_seconds() for one in receipts]


async def _received(book: AlertBook, total: int) -> None:
    async with asyncio.timeout(QUIET_SECONDS):
        while len(_first(book)) < total:  # noqa: ASYNC110 - another process, no event
            await asyncio.sleep(0.1)


def _first(book: AlertBook) -> list[Receipt]:
    ours = [one for one in reversed(book.receipts) if one.subscription == "everything"]
    return list({one.alert_id: one for one in ours}.values())


def _fetched(place: Place) -> dict[str, datetime]:
    """When the fetch ended that brought each article."""
    log = SqliteLog(place.data / "log.sqlite")
    found: dict[str, datetime] = {}
    offset, end = log.bounds(Partition("articles"))
    while offset < end:
        for record in log.read(Partition("articles"), offset):
            offset = record.offset + 1
            found.setdefault(record.key, decode(Sighting, record.value or b"").fetched)
    log.close()
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 where one misses its bar."""
    parser = argparse.ArgumentParser(prog="bench_latency", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="wirewatch-bench-") as folder:
        waits = asyncio.run(measure(Path(folder), seconds=given.seconds))
    cuts = statistics.quantiles(waits, n=100)
    print(
        f"fetch to webhook at {PER_SECOND:g} articles/s, {len(waits):,} alerts: "
        f"p50 {cuts[49]:.2f} s (bar {MAX_MEDIAN_SECONDS:g}), "
        f"p99 {cuts[98]:.2f} s (bar {MAX_P99_SECONDS:g}), longest {max(waits):.2f} s"
    )
    return int(cuts[49] > MAX_MEDIAN_SECONDS or cuts[98] > MAX_P99_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
