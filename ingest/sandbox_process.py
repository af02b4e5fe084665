"""A child process of the sandbox, seen from its parent: how it starts, answers and ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.sandbox_child import MAX_FRAME_BYTES

EXCHANGE_ERRORS = (OSError, EOFError, ValueError, RecursionError)
"""All that an exchange can raise: the process went, or what it sent is no answer."""

_BOOT = (
    "import json, sys; paths, target, limits = json.loads(sys.argv[1]); "
    "sys.path += [path for path in paths if path not in sys.path]; "
    "from ingest.sandbox_child import serve; serve(target, **limits)"
)


@dataclass(slots=True, kw_only=True)
class ChildProcess:
    """A started process and the channel to it."""

    process: subprocess.Popen[bytes]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    calls: int = 0

    async def exchange(self, *frames: bytes) -> dict[str, Any]:
        """The answer to ``frames``.

        Raises:
            ValueError: it is no frame of JSON; RecursionError where it is nested too deep.
            OSError: the process is gone (asyncio.IncompleteReadError where it went in the middle).
        """
        for frame in frames:
            self.writer.write(len(frame).to_bytes(4, "big"))
            self.writer.write(frame)
        await self.writer.drain()
        length = int.from_bytes(await self.reader.readexactly(4), "big")
        if length > MAX_FRAME_BYTES:
            raise ValueError(f"frame of {length} bytes")
        answer = json.loads(await self.reader.readexactly(length))
        if not isinstance(answer, dict):
            raise ValueError("the answer is no JSON object")  # noqa: TRY004 - of the wire form
        return answer

    async def end(self) -> None:
        """Kill the process and its group; leaves no zombie behind."""
        self.writer.transport.abort()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)


async def spawn(target: str, *, limits: dict[str, float]) -> ChildProcess:
    """A child that serves ``target``; its first frame says whether it is ready.

    It inherits no environment and no descriptor but the channel, and has a session of its own, so
    that Ctrl-C is for the parent only. It finds modules where the parent does.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = start_process(target, limits=limits, channel=theirs)
        except OSError:
            ours.close()
            raise
    try:
        reader, writer = await asyncio.open_connection(sock=ours)
    except BaseException:  # cancelled: nobody would end it
        ours.close()
        process.kill()
        process.wait()
        raise
    return ChildProcess(process=process, reader=reader, writer=writer)


def start_process(
    target: str, *, limits: dict[str, float], channel: socket.socket
) -> subprocess.Popen[bytes]:
    """The bare process of a child that serves ``target`` on ``channel``; see ``spawn``."""
    paths = [str(Path(path).absolute()) for path in sys.path]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-I", "-c", _BOOT, json.dumps([paths, target, limits])],
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )
