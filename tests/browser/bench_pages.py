"""How fast pages paint and how much they weigh, over 100,000 articles.

Run from the repository's root: ``python -m tests.browser.bench_pages [articles] [folder]``. With a
folder the data stays there and is used again. First paint is what the browser's Performance API
says: of a page in a new tab with an empty cache, then of the same page in the same tab. Three bytes
of plain text show how much of it is the browser's own.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from deploy.folder import DataFolder
from ingest.log import NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from search.index import Checkpoint
from search.tantivy_index import TantivyIndex
from tests.benchmarks.bench_search import BATCH, records
from tests.browser.fixtures import ARGUMENTS, chromium
from tests.browser.site import EVERYTHING, address_of, until
from tests.running import Place, Running

ARTICLES = 100_000
ROUNDS = 11
READY_SECONDS = 1.0
"""A new tab has its process before the reader has typed an address."""

PAGES = {
    "plain text": "/healthz",
    "start": "/",
    "search, common word": "/?q=said",
    "search, two words": "/?q=said+minister",
    "search, topic": "/?q=topic:truce",
    "topics": "/topics",
    "topic": "/topics/ceasefire-talks",
    "subscriptions": "/subscriptions",
    "alerts": "/alerts",
    "channels": "/channels",
    "feeds": "/feeds",
}
MEASURED = """() => new Promise(done => {
  const read = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    if (!paint) return setTimeout(read, 10);
    const page = performance.getEntriesByType("navigation")[0];
    const files = performance.getEntriesByType("resource");
    done({paint: paint.startTime, first_byte: page.responseStart, page: page.encodedBodySize,
      files: files.reduce((sum, one) => sum + one.encodedBodySize, 0)});
  };
  read();
})"""


def write(place: Place, total: int) -> None:
    """Articles in log and index, the last of them seen just now."""
    data = DataFolder(place.data)
    log = SqliteLog(data.log)
    log.ensure_topics(topic_specs())
    index = TantivyIndex(data.index)
    first = datetime.now(UTC) - timedelta(seconds=26 * total)
    made, done = records(total), 0
    while batch := list(islice(made, BATCH)):
        shifted = [
            replace(one, article=replace(one.article, seen=first + timedelta(seconds=26 * number)))
            for number, one in enumerate(batch, start=done)
        ]
        log.append(
            [NewRecord(topic="stories", key=one.article.id, value=encode(one)) for one in shifted]
        )
        done += len(batch)
        index.write(shifted, checkpoint=Checkpoint(log=log.identity(), stories={0: done}))
    index.close()
    log.close()


async def measured(browser: Browser, url: str) -> list[list[dict[str, Any]]]:
    """The figures of first visits to a page, a new context each, and of the visit after each."""
    found: list[list[dict[str, Any]]] = [[], []]
    for _ in range(ROUNDS):
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        await asyncio.sleep(READY_SECONDS)
        for visits in found:
            await page.goto(url)
            visits.append(await page.evaluate(MEASURED))
        await context.close()
    return found


async def main(total: int, folder: Path) -> None:
    """Print a line for each page."""
    place = Place(folder=folder)
    if not place.data.exists():
        write(place, total)
    running = Running(place, "run", "--port", "0")
    try:
        await running.ready()
        url = await until(lambda: address_of(running))
        print(f"{await running.found(EVERYTHING):,} articles")
        arguments = [*ARGUMENTS, *(("--no-sandbox",) if os.geteuid() == 0 else ())]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
            await measured(browser, url + "/login")
            columns = f"{'first':>9}{'next':>9}{'first byte':>12}{'page':>9}{'with files':>12}"
            print(f"{'first paint, ms; kB':22}{columns}")
            for name, path in PAGES.items():
                _line(name, await measured(browser, url + path))
            await browser.close()
    finally:
        await running.terminate()


def _line(name: str, visits: list[list[dict[str, Any]]]) -> None:
    first, next_ = (statistics.median(one["paint"] for one in found) for found in visits)
    byte = statistics.median(one["first_byte"] for one in visits[0])
    last = visits[0][-1]
    page, files = last["page"] / 1000, (last["page"] + last["files"]) / 1000
    print(f"{name:22}{first:>9.0f}{next_:>9.0f}{byte:>12.0f}{page:>9.1f}{files:>12.1f}", flush=True)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else ARTICLES
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(main(wanted, Path(sys.argv[2] if len(sys.argv) > 2 else scratch)))
