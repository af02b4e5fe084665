"""Files that alerts are appended to, a line each: who waits for one file shares its fsync."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

from ingest.errors import DeliveryError

_Waiting = list[tuple[str, asyncio.Future[None]]]


class LineFiles:
    """Appends lines, each file in the order of asking. For one event loop.

    The writes run in ``threads``: a disk may hang, and must not hold up polls.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._waiting: dict[Path, _Waiting] = {}
        self._writing: dict[Path, asyncio.Task[None]] = {}

    async def append(self, path: Path, line: str) -> None:
        """Append ``line`` to ``path``, durably. Raises as ``append_lines``."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(path, []).append((line, done))
        if path not in self._writing:
            self._writing[path] = asyncio.create_task(self._write(path))
        await done

    async def _write(self, path: Path) -> None:
        loop = asyncio.get_running_loop()
        try:
            while waiting := self._waiting.pop(path, None):
                lines = [line for line, done in waiting if not done.cancelled()]
                error: Exception | None = None
                try:
                    await loop.run_in_executor(self._threads, append_lines, path, lines)
                except Exception as found:  # noqa: BLE001 - each who waits for its line gets it
                    error = found
                for _, done in waiting:
                    _settle(done, error)
        finally:
            del self._writing[path]


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Append ``lines`` to the file ``path``, all or none, durably.

    A line torn by a crash is ended first.

    Raises:
        OSError: they cannot be written.
        DeliveryError: ``path`` is not a plain file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # O_NONBLOCK: opening a pipe that nobody reads would block for ever.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise DeliveryError(f"{path} is not a plain file.")
        torn = found.st_size > 0 and os.pread(file, 1, found.st_size - 1) != b"\n"
        _write(file, b"\n" * torn + "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(file)


def _write(file: int, data: bytes) -> None:
    written = 0
    try:
        while written < len(data):  # a short write of a full disk raises at the next turn
            written += os.write(file, data[written:])
        os.fsync(file)
    except OSError:
        with suppress(OSError):  # what was written of them comes again: take it back
            os.ftruncate(file, os.fstat(file).st_size - written)
        raise
