"""Chat and push services through apprise, in processes that can be killed (promises P4 and P5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ingest.errors import FeedError, UnavailableError, UsageError, WirewatchError
from ingest.sandbox import Sandbox, SandboxPool
from ingest.settings import ParseSettings
from search.deliveries import Outcome

TARGET = "search.apprise_child:answer"
PROCESSES = 8
"""At most; each starts when all before it are busy, and is kept: a start takes 0.7 s."""

RECYCLE_AFTER = 200
MEMORY_BYTES = 1_000_000_000
"""Of address space. A child with all of apprise's plugins has 60 MB resident."""

READ_SECONDS = 20.0
"""To start a process and have it read one address, on a busy machine."""

_TOO_LATE = ("too-slow",)
_BROKEN = ("crashed", "out-of-memory", "too-large", "reader-not-started")


class AppriseSender:
    """Sends messages; ``allow`` are the hosts that may be private. For one event loop."""

    def __init__(self, allow: Sequence[str], *, seconds: float) -> None:
        self._allow = list(allow)
        self._seconds = seconds
        settings = ParseSettings(
            seconds=seconds,
            memory_bytes=MEMORY_BYTES,
            processes=PROCESSES,
            recycle_after=RECYCLE_AFTER,
        )
        self._pool = SandboxPool(TARGET, settings=settings, network=True)

    async def send(self, url: str, *, title: str, body: str) -> Outcome:
        """One attempt; never raises."""
        call: dict[str, object] = {"url": url, "title": title, "body": body, "allow": self._allow}
        try:
            await self._pool.call(call, b"")
        except WirewatchError as error:
            if error.code in _TOO_LATE:
                return Outcome(error=f"It did not take the message within {self._seconds:g} s.")
            if error.code in _BROKEN:
                return Outcome(error=f"The process that sends to it failed ({error.code}).")
            return Outcome(error=f"{error.sentence} {error.hint}".strip())
        return Outcome()

    async def close(self) -> None:
        """End the processes."""
        await self._pool.close()


def check_apprise(url: str) -> None:
    """Nothing, where apprise can read ``url``: a process of its own tries, and sends nothing.

    Raises:
        UsageError: it cannot.
        UnavailableError: the process could not be started, or did not answer.
    """
    with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop that runs
        try:
            thread.submit(asyncio.run, _read(url)).result()
        except FeedError as error:
            if error.code in (*_TOO_LATE, *_BROKEN):
                raise UnavailableError(
                    f"apprise did not read the address ({error.code})",
                    hint="Try again; the machine may be busy.",
                ) from error
            raise UsageError(error.sentence, hint=error.hint, code=error.code) from None


async def _read(url: str) -> None:
    settings = ParseSettings(seconds=READ_SECONDS, memory_bytes=MEMORY_BYTES, processes=1)
    sandbox = Sandbox(TARGET, settings=settings, network=True)
    try:
        await sandbox.call({"url": url, "allow": []}, b"")
    finally:
        await sandbox.close()
