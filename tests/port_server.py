"""The API and the pages on a real port, in a thread of a test's own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import Embedded
from deploy.serve import bind_port, serving_port
from search.scopes import Scope
from tests.shell import opened

START_SECONDS = 60.0
LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where it answers, and the shell behind it."""

    url: str
    shell: Embedded
    tokens: dict[str, str]


async def _no_news(_: Embedded) -> None:
    """Nothing to put in."""


@contextmanager
def served(
    folder: Path,
    *overrides: str,
    accounts: dict[str, Scope] | None = None,
    fill: Callable[[Embedded], Awaitable[None]] = _no_news,
    works: bool = False,
) -> Iterator[Served]:
    """A server over a new data folder with ``accounts``, filled by ``fill``.

    ``works``: its stages run beside it, but nothing is polled or sent.
    """
    ready: list[Served] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with opened(folder, "api.port=0", *overrides) as shell:
            await fill(shell)
            tokens = {
                name: shell.accounts.add(name, scopes=(scope,))[1]
                for name, scope in (accounts or {}).items()
            }
            listener = bind_port(shell.settings.api, accounts=shell.accounts)
            working = shell.working() if works else contextlib.nullcontext()
            async with working, serving_port(shell, listener) as port:
                url = f"http://127.0.0.1:{port}"
                await _answering(port)
                ready.append(Served(url=url, shell=shell, tokens=tokens))
                started.set()
                await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(START_SECONDS)
        assert ready, "the server did not start"
        yield ready[0]
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(START_SECONDS)


async def _answering(port: int) -> None:
    """Wait until it accepts connections."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(LOOK_SECONDS)
