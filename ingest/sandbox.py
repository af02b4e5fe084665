"""Runs a reader of hostile bytes in a process that can be killed (promises P4 and P6).

A feed can burn minutes of processor time, fill the memory or crash the parser. So it is read in a
child process, under one deadline for the whole exchange. A frame is a length of four bytes (big
endian, at most 16 MB) and a payload; a call is a JSON frame and a frame of raw bytes, the answer a
JSON frame. Nothing the child sends is ever run: no pickle.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from ingest.errors import FeedError, UnreadableError
from ingest.resident_memory import RLIMIT_AS_BINDS, wait_for_excess
from ingest.sandbox_child import MAX_FRAME_BYTES
from ingest.sandbox_process import EXCHANGE_ERRORS, ChildProcess, spawn
from ingest.settings import ParseSettings

START_SECONDS = 30.0
"""A start takes 0.3 s; this is for a machine that is busy with something else."""

_SENTENCES = {
    "crashed": "Reader crashed on this feed.",
    "out-of-memory": "Refused: took too much memory to read.",
}


class Sandbox:
    """Calls ``target`` (``module:function``) in one child process, one call at a time.

    ``target`` takes the header and the body of a call and returns what JSON can carry. A process
    that overran, crashed or has done its share is replaced in the background. ``network``: it may
    open sockets, which ``target`` guards itself.
    """

    def __init__(
        self, target: str, *, settings: ParseSettings | None = None, network: bool = False
    ) -> None:
        self._target = target
        self._network = network
        self._settings = settings or ParseSettings()
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[ChildProcess] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
        """What ``target`` returns for ``header`` and ``body``.

        Raises:
            UnreadableError: as ``target`` raised it, or code ``too-slow``, ``out-of-memory`` or
                ``crashed``.
            FeedError: no process could be started.
        """
        frame = json.dumps(header).encode()
        if max(len(frame), len(body)) > MAX_FRAME_BYTES:
            raise UnreadableError(
                f"body of {len(body)} bytes",
                code="too-large",
                sentence="Refused: body larger than 16 MB.",
            )
        async with self._turn:
            child = await self._ready()
            try:
                answer = await self._bounded(child, frame, body)
            except BaseException:
                # Also when cancelled: what it would still send belongs to nobody.
                self._replace(child)
                raise
            child.calls += 1
            error = answer.get("error")
            if child.calls >= self._settings.recycle_after or _code(error) == "out-of-memory":
                self._replace(child)
            if error is not None:
                raise _unreadable(error)
            return answer

    async def close(self) -> None:
        """End the child process; no call may follow."""
        self._closed = True
        if self._next is not None:
            self._next.cancel()
            with contextlib.suppress(asyncio.CancelledError, FeedError):
                self._end(await self._next)
            self._next = None
        while self._ending:
            await asyncio.gather(*self._ending)

    async def _bounded(self, child: ChildProcess, frame: bytes, body: bytes) -> dict[str, Any]:
        seconds = self._settings.seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._watched(child, frame, body)
        except TimeoutError as error:
            raise UnreadableError(
                f"no answer within {seconds} s",
                code="too-slow",
                sentence=f"Refused: took more than {seconds:g} s to read.",
                hint="The feed is built so that reading it takes very long; tell its owner.",
            ) from error
        except EXCHANGE_ERRORS as error:
            raise _unreadable(
                {"code": "crashed", "why": f"{type(error).__name__}: {error}"}
            ) from error

    async def _watched(self, child: ChildProcess, frame: bytes, body: bytes) -> dict[str, Any]:
        if RLIMIT_AS_BINDS:
            return await child.exchange(frame, body)
        answer = asyncio.create_task(child.exchange(frame, body))
        excess = asyncio.create_task(
            wait_for_excess(child.process.pid, limit_bytes=self._settings.memory_bytes)
        )
        try:
            await asyncio.wait({answer, excess}, return_when=asyncio.FIRST_COMPLETED)
            return await answer if answer.done() else {"error": {"code": "out-of-memory"}}
        finally:
            for task in (answer, excess):
                task.cancel()
            await asyncio.gather(answer, excess, return_exceptions=True)

    async def _ready(self) -> ChildProcess:
        if self._next is None:
            self._next = asyncio.create_task(self._start())
        starting = self._next
        try:
            # Shielded: a caller that gives up leaves the start to the next one.
            child = await asyncio.shield(starting)
        except FeedError:
            self._next = None
            raise
        if child.process.poll() is None:
            return child
        # Died between two calls, so no feed is to blame.
        self._replace(child)
        return await self._ready()

    def _replace(self, child: ChildProcess) -> None:
        self._end(child)
        self._next = None if self._closed else asyncio.create_task(self._start())

    def _end(self, child: ChildProcess) -> None:
        task = asyncio.create_task(child.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _start(self) -> ChildProcess:
        limits: dict[str, float] = {
            "seconds": self._settings.seconds,
            "memory_bytes": self._settings.memory_bytes,
            "network": self._network,
        }
        try:
            child = await spawn(self._target, limits=limits)
        except OSError as error:
            raise _not_started(str(error)) from error
        try:
            async with asyncio.timeout(START_SECONDS):
                answer = await child.exchange()
        except BaseException as error:
            self._end(child)
            if isinstance(error, EXCHANGE_ERRORS):
                raise _not_started(repr(error)) from error
            raise
        if not answer.get("ready"):
            self._end(child)
            raise _not_started(str(answer.get("failed")))
        return child


class SandboxPool:
    """Several sandboxes of one target; a call takes one that is idle."""

    def __init__(
        self, target: str, *, settings: ParseSettings | None = None, network: bool = False
    ) -> None:
        settings = settings or ParseSettings()
        self._all = [
            Sandbox(target, settings=settings, network=network) for _ in range(settings.processes)
        ]
        self._idle: asyncio.LifoQueue[Sandbox] = asyncio.LifoQueue()
        for sandbox in self._all:
            self._idle.put_nowait(sandbox)

    async def call(self, header: dict[str, object], body: bytes) -> dict[str, Any]:
        """As `Sandbox.call`; waits while all are busy."""
        sandbox = await self._idle.get()
        try:
            return await sandbox.call(header, body)
        finally:
            self._idle.put_nowait(sandbox)

    async def close(self) -> None:
        """End all child processes."""
        await asyncio.gather(*(sandbox.close() for sandbox in self._all))


def _code(error: object) -> str:
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _unreadable(error: object) -> UnreadableError:
    """The error that the child sent, its texts cut: it may be a stranger's by now."""
    told = error if isinstance(error, dict) else {}
    code = str(told.get("code") or "crashed")[:50]
    sentence = str(told.get("error") or _SENTENCES.get(code, _SENTENCES["crashed"]))[:1_000]
    why = str(told.get("why") or sentence)[:500]
    return UnreadableError(
        why, code=code, sentence=sentence, hint=str(told.get("hint", ""))[:1_000]
    )


def _not_started(why: str) -> FeedError:
    return FeedError(
        f"sandbox did not start: {why}",
        code="reader-not-started",
        sentence="The process that reads feeds could not be started.",
        hint="Check memory and process limits of this machine; `wirewatch doctor` says more.",
    )
