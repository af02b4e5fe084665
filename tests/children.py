"""Workers as child processes of a test: what they say on stdout, and how they are ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

from tests.running import ROOT


class Child(ABC):
    """A process that says how it is, a JSON object a line; ``errors`` has its log."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.errors = errors
        self.process = process
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def started(cls, module: str, *arguments: str, errors: Path) -> Self:
        """One that runs ``python -m module``."""
        with errors.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *arguments,
                stdout=asyncio.subprocess.PIPE, stderr=file, cwd=ROOT, env=dict(os.environ),
            )  # fmt: skip
        return cls(process, errors)

    @abstractmethod
    def said(self, word: dict[str, Any]) -> None:
        """Take in what it said last; nothing at its end."""

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said(json.loads(line))
        self.said({})

    @property
    def is_stopped(self) -> bool:
        """Whether it hangs, by SIGSTOP."""
        status = Path(f"/proc/{self.process.pid}/stat").read_text("ascii")
        return status.rpartition(")")[2].split()[0] == "T"

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> int:
        """Stop it in good order; its exit status."""
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            self.process.terminate()
        return await self.ended()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            self.process.kill()
        await self.ended()

    async def ended(self) -> int:
        status = await self.process.wait()
        await self._reading
        return status
