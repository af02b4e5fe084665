"""What readers cost: 200 who search, then 1,000 open streams, beside 20 new articles a second.

Run from the repository's root: ``python -m tests.benchmarks.bench_readers [folder] [seconds]``.
The folder is kept where it is named: in it lies a data folder whose index has 100,000 articles.
One process is Wirewatch with its port, another the readers; alerts go to a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import httpx

from deploy.embedded import Embedded
from deploy.events import log_to_stderr
from deploy.folder import DataFolder
from deploy.running import _collect_garbage_seldom as collect_garbage_seldom
from deploy.serve import bind_port, serving_port
from deploy.settings import load
from ingest.log import NewRecord
from ingest.wire import decode, encode
from search.alert_state import ALERT, Alert
from search.index import Checkpoint
from search.tantivy_index import TantivyIndex
from tests.benchmarks.bench_matching import texts
from tests.benchmarks.bench_search import BATCH, QUERIES, Words, records
from tests.benchmarks.processor_time import process_seconds
from tests.made_up_news import sighting

ARTICLES = 100_000
READERS, SEARCH_EVERY_SECONDS = 200, 5.0
STREAMS = 1_000
ARTICLES_PER_SECOND = 20
ALERTS_EVERY = 10
"""Every tenth article is alerted: two a second, to each stream."""

ALERTED = "zyzzogeton"
SETTINGS = ("api.port=0", "poll.default_seconds=3600", "alerts.storm=")
FILES = 20_000


def open_many_files() -> None:
    """Allow this process as many connections as the system does."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


# --- the process of Wirewatch ---


async def prepare(folder: Path) -> None:
    """Fill the index, unless that was done before."""
    data = DataFolder(folder)
    settings = load(overrides=SETTINGS).settings
    with data.lock():
        async with Embedded.opened(settings, data) as shell:
            if shell.subscriptions.all():
                return
            assert isinstance(shell.index, TantivyIndex)
            log = shell.log.identity()
            made, done = records(ARTICLES), 0
            while batch := [one for _, one in zip(range(BATCH), made, strict=False)]:
                done += len(batch)
                shell.index.write(batch, checkpoint=Checkpoint(log=log, stories={0: 0}))
            to = [f"file:{folder / 'alerts.jsonl'}"]
            shell.subscriptions.add(name="bench", query=ALERTED, to=to, every_article=True)


async def serve(folder: Path) -> None:
    """Run Wirewatch with its port and new articles until standard input ends; say how it went."""
    open_many_files()
    log_to_stderr("warning")
    data = DataFolder(folder)
    settings = load(overrides=SETTINGS).settings
    stop = asyncio.Event()
    with data.lock():
        async with Embedded.opened(settings, data) as shell:
            collect_garbage_seldom()
            listener = bind_port(shell.settings.api, accounts=shell.accounts)
            async with serving_port(shell, listener) as port:
                began = datetime.now(UTC)
                running = asyncio.create_task(shell.run(stop))
                feeding = asyncio.create_task(feed(shell, stop))
                print(port, flush=True)
                while await asyncio.to_thread(sys.stdin.readline):
                    print(json.dumps(latencies(shell, since=began)), flush=True)
                    began = datetime.now(UTC)
                stop.set()
                await asyncio.gather(feeding, running)


async def feed(shell: Embedded, stop: asyncio.Event) -> None:
    """Hand over articles as a poller would, evenly over time."""
    corpus, chance = texts(2000), random.Random(time.time_ns())
    started = time.monotonic()
    for number in count():
        wait = started + number / ARTICLES_PER_SECOND - time.monotonic()
        if wait > 0:
            with contextlib.suppress(TimeoutError):  # it is time for the next
                async with asyncio.timeout(wait):
                    await stop.wait()
        if stop.is_set():
            return
        text = f"{chance.choice(corpus)[:1500]} {chance.getrandbits(64):x}"
        if number % ALERTS_EVERY == 0:
            text += f" {ALERTED}"
        one = sighting(f"{chance.getrandbits(128):022x}"[:22], text, title=text[:80], feed="bench")
        now = datetime.now(UTC)
        fresh = type(one)(article=one.article, fetched=now, cause="live")
        record = NewRecord(topic="articles", key=one.article.id, value=encode(fresh))
        await asyncio.to_thread(shell.log.append, [record])


def latencies(shell: Embedded, *, since: datetime) -> list[float]:
    """Milliseconds from the poller's time to the delivery, of alerts made from ``since`` on."""
    found = []
    for record in shell.log.table("alert-state").items(ALERT):
        alert = decode(Alert, record.value or b"")
        if alert.created < since or not alert.attempts:
            continue
        story = shell.log.table("stories").get(alert.article_id)
        if story is None:  # a digest of what was held
            continue
        fetched = datetime.fromisoformat(json.loads(story.value or b"")["fetched"])
        found.append((alert.attempts[0].at - fetched).total_seconds() * 1000)
    return found


# --- the process of the readers ---


async def reader(client: httpx.AsyncClient, words: Words, took: list[float], until: float) -> None:
    """Search now and then; each time something else."""
    templates = list(QUERIES.values())
    chance = random.Random()
    await asyncio.sleep(chance.random() * SEARCH_EVERY_SECONDS)
    while time.monotonic() < until:
        asked: dict[str, str | int] = {"q": words.query(chance.choice(templates)), "size": 20}
        started = time.perf_counter()
        answer = await client.get("/api/search", params=asked)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(SEARCH_EVERY_SECONDS * (0.5 + chance.random()))


async def search_beside(port: int, seconds: float, readers: int) -> list[float]:
    """Milliseconds of each search of all readers."""
    words = Words(texts(4000), seed=5)
    limits = httpx.Limits(max_connections=readers, max_keepalive_connections=readers)
    base = f"http://127.0.0.1:{port}"
    took: list[float] = []
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(*(reader(client, words, took, until) for _ in range(readers)))
    return took


async def listen(port: int, seconds: float, heard: list[int]) -> None:
    """One open stream, read as fast as it comes."""
    path = "/api/stream?" + urlencode({"stories": "false"})
    source, sink = await asyncio.open_connection("127.0.0.1", port)
    events = 0
    try:
        sink.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        async with asyncio.timeout(seconds):
            while chunk := await source.read(65536):
                events += chunk.count(b"event: alert")
    except TimeoutError:
        heard.append(events)
    finally:
        sink.close()


def shown(name: str, took: Sequence[float], *, cores: float) -> None:
    """A line of the table; ``cores``: processors that Wirewatch kept busy meanwhile."""
    if not took:
        print(f"{name:28}{0:>7}", flush=True)
        return
    took = sorted(took)
    p50, p99 = took[len(took) // 2], took[math.ceil(len(took) * 0.99) - 1]
    figures = f"{len(took):>7,}{p50:>9.0f}{p99:>9.0f}{took[-1]:>9.0f}"
    print(f"{name:28}{figures}{cores:>9.2f}", flush=True)


class Server:
    """The process of Wirewatch, as the readers know it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self._since = time.monotonic(), 0.0

    @classmethod
    async def started(cls, folder: Path) -> Self:
        """A new one over ``folder``."""
        command = (sys.executable, "-m", "tests.benchmarks.bench_readers", "serve", str(folder))
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))

    async def line(self) -> str:
        """What it says next."""
        return (await self._out.readline()).decode()

    async def alerts(self) -> tuple[list[float], float]:
        """Latencies of alerts since this was last asked, and how many processors were busy."""
        self._in.write(b"\n")
        found = json.loads(await self.line())
        (before, spent), now = self._since, time.monotonic()
        self._since = now, self._seconds()
        return found, (self._since[1] - spent) / (now - before)

    def _seconds(self) -> float:
        pid = self._process.pid
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [int(one) for path in tasks for one in path.read_text().split()]
        return process_seconds([pid, *children])

    async def end(self) -> None:
        """End it in good order."""
        self._in.close()
        await self._process.wait()


async def measure(folder: Path, seconds: float) -> None:
    """Everything, in one run."""
    server = await Server.started(folder)
    port = int(await server.line())
    print(f"{'ms':28}{'count':>7}{'p50':>9}{'p99':>9}{'max':>9}{'cores':>9}", flush=True)
    await search_beside(port, seconds / 4, 2)  # what is read for the first time
    for readers in (0, 1, READERS):
        await server.alerts()
        took = await search_beside(port, seconds, readers) if readers else []
        await asyncio.sleep(0 if readers else seconds / 2)
        alerts, cores = await server.alerts()
        shown(f"search, {readers} readers", took, cores=cores)
        shown(f"alert, {readers} readers", alerts, cores=cores)
    heard: list[int] = []
    streams = [asyncio.create_task(listen(port, seconds, heard)) for _ in range(STREAMS)]
    await asyncio.sleep(seconds / 3)  # they are all there
    await server.alerts()
    await asyncio.sleep(seconds / 2)
    alerts, cores = await server.alerts()
    shown(f"alert, {STREAMS:,} streams", alerts, cores=cores)
    await asyncio.gather(*streams)
    print(f"{len(heard):,} streams heard {min(heard)} to {max(heard)} alerts each")
    await server.end()


async def main(folder: Path, seconds: float) -> None:
    """Prepare in a process of its own, then measure."""
    open_many_files()
    await prepare(folder)
    await measure(folder, seconds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        wanted = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
            asyncio.run(main(place, wanted))
