"""The filter ``parse``: feed files to articles, each read in the sandbox."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.settings import Settings
from ingest.article import Article
from ingest.errors import UnreadableError, WirewatchError
from ingest.identity import feed_id
from ingest.reading import Reading, header, read_answer
from ingest.sandbox import SandboxPool
from ingest.wire import as_json

READER = "ingest.reading:answer"
"""What runs in the sandbox, here and in the poller."""

STDIN = "-"


def parse_files(
    files: Sequence[Path], *, settings: Settings, url: str = "", content_type: str = ""
) -> Iterator[dict[str, Any]]:
    """One line an entry, in order of files and entries; a refused file gives one line."""
    names = [str(file) for file in files] or [STDIN]
    with asyncio.Runner() as runner:
        pool = runner.run(_pool(settings))
        try:
            waiting: deque[asyncio.Task[list[dict[str, Any]]]] = deque()
            rest = iter(names)
            while True:
                while len(waiting) < 2 * settings.parse.processes and (name := next(rest, "")):
                    task = _lines(pool, name, settings=settings, url=url, content_type=content_type)
                    waiting.append(runner.get_loop().create_task(task))
                if not waiting:
                    return
                yield from runner.run(_result(waiting.popleft()))
        finally:
            runner.run(pool.close())


async def _pool(settings: Settings) -> SandboxPool:
    return SandboxPool(READER, settings=settings.parse)


async def _result(task: asyncio.Task[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return await task


async def _lines(
    pool: SandboxPool, name: str, *, settings: Settings, url: str, content_type: str
) -> list[dict[str, Any]]:
    reading = Reading(
        url=url,
        feed_id=feed_id(url or name),
        fetched=datetime.now(UTC),
        content_type=content_type,
        limits=settings.article,
    )
    try:
        body = _bytes(name, limit=settings.fetch.decoded_bytes)
        found = read_answer(await pool.call(header(reading), body))
    except WirewatchError as error:
        return [{"file": name, **error.as_json()}]
    return [_line(name, article) for article in found.articles]


def _line(name: str, article: Article) -> dict[str, Any]:
    shown: dict[str, Any] = as_json(article)
    return {"file": name, **shown, "seen": None, "revision": None}


def _bytes(name: str, *, limit: int) -> bytes:
    try:
        if name == STDIN:
            body = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as stream:
                body = stream.read(limit + 1)
    except OSError as error:
        raise UnreadableError(
            f"{name}: {error}",
            code="no-file",
            sentence=f"{name} cannot be read: {error.strerror}.",
            hint="Check the path.",
        ) from error
    if len(body) > limit:
        raise UnreadableError(
            f"{name} is larger than {limit} bytes",
            code="too-large",
            sentence=f"Refused: body larger than {limit // 1_000_000} MB.",
        )
    return body
