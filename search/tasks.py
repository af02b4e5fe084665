"""Tasks under way that nobody waits for one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

_events = structlog.get_logger(__name__)


class Tasks:
    """For one event loop. A task that breaks is said, and holds up no other."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        return bool(self._running)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside the others."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def one(self) -> None:
        """Wait until one ends; there must be some."""
        await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def all(self, *, seconds: float) -> None:
        """Wait until all have ended, for so long at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def cancel(self) -> None:
        """End all now."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _events.error("delivery broke", exc_info=error)
