"""Alerts that failed, sent again because somebody asked: one by one, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from ingest.errors import WirewatchError
from search.tasks import Tasks

AT_ONCE = 8
"""Retries under way: each takes as long as its receiver takes to answer."""

_events = structlog.get_logger(__name__)


class Replays:
    """Retries of many alerts. For one event loop.

    Args:
        retry: Gives one alert another attempt.
    """

    def __init__(self, retry: Callable[[str], Awaitable[object]]) -> None:
        self._retry = retry
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._tasks = Tasks()

    def start(self, alert_ids: Iterable[str]) -> None:
        """Retry them beside everything else."""
        self._tasks.start(self.all(alert_ids))

    async def all(self, alert_ids: Iterable[str]) -> None:
        """Retry them; done when each has had its attempt."""
        await asyncio.gather(*(self.one(alert_id) for alert_id in alert_ids))

    async def one(self, alert_id: str) -> None:
        """Retry one in its turn. Never raises: why it cannot be is said in the log."""
        async with self._turn:
            try:
                await self._retry(alert_id)
            except WirewatchError as error:
                _events.warning("retry refused", alert=alert_id, reason=error.sentence)
            except Exception as error:  # noqa: BLE001 - nobody looks at what becomes of it
                _events.error("retry broke", alert=alert_id, exc_info=error)
