"""The queue before each receiver: what waits for it, how it does, how much may be under way.

So that one slow or failing receiver holds up nobody else (promise P4, row F43).
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ingest.log import Log
from search.alert_state import Endpoint
from search.channel_health import endpoint_of
from search.channel_store import address_of
from search.deliveries import gate, rest_seconds
from search.subscriptions import kind_of

LINES_IN_FLIGHT = 20
"""To one file: they share an fsync. As many may stand there twice after a crash, with one id."""


@dataclass(slots=True)
class Lane:
    """One receiver.

    Attributes:
        host: Shared with its neighbours on the same host.
        is_stored: Whether the log knows of what was learnt last: until then it is behind.
    """

    endpoint: Endpoint
    limit: int
    host: asyncio.Semaphore
    waiting: deque[str] = field(default_factory=deque)
    running: int = 0
    rests_until: datetime | None = None
    is_stored: bool = True

    def next(self, *, now: datetime, patient: bool) -> str | None:
        """The alert to send now, if one may be; ``patient``: a failing receiver gets a rest."""
        failing = bool(self.endpoint.failures)
        resting = patient and self.rests_until is not None and now < self.rests_until
        limit = 1 if failing and patient else self.limit
        if resting or self.running >= limit or gate(self.endpoint, now=now) == "closed":
            return None
        return self.waiting.popleft() if self.waiting else None

    def due(self) -> datetime | None:
        """When it is to be looked at again, if that is a matter of time."""
        if not self.waiting:
            return None
        times = [one for one in (self.rests_until, self.endpoint.not_before) if one is not None]
        return max(times, default=None)

    def learnt(self, endpoint: Endpoint, *, now: datetime) -> None:
        """Take in how the receiver does."""
        self.is_stored = self.is_stored and endpoint is self.endpoint
        self.endpoint = endpoint
        rest = rest_seconds(endpoint)
        self.rests_until = now + timedelta(seconds=rest) if rest else None


class Lanes:
    """A lane for each target, made when first asked for. For one event loop."""

    def __init__(self, log: Log, *, in_flight_per_host: int) -> None:
        self._log = log
        self._in_flight = in_flight_per_host
        self._lanes: dict[str, Lane] = {}
        self._hosts: dict[str, asyncio.Semaphore] = {}

    async def get(self, target: str) -> Lane:
        """The lane of ``target``, with its health as the log has it.

        Of a receiver that was given up, as the log has it now: another process may have put it
        into use again.

        Raises:
            UnavailableError: it is new here, and the log cannot be read now.
        """
        lane = self._lanes.get(target)
        if lane is None:
            stored = await asyncio.to_thread(endpoint_of, self._log, target)
            way = await asyncio.to_thread(address_of, self._log, target)
            lane = self._lanes.setdefault(target, self._made(stored, way))
        elif lane.endpoint.disabled and lane.is_stored:
            stored = await asyncio.to_thread(endpoint_of, self._log, target)
            if not stored.disabled and lane.is_stored:
                lane.endpoint, lane.rests_until = stored, None
        return lane

    def all(self) -> list[Lane]:
        """Every lane so far."""
        return list(self._lanes.values())

    def _made(self, endpoint: Endpoint, way: str) -> Lane:
        kind = kind_of(way)
        if kind in ("file", "stdout", "channel"):
            limit = LINES_IN_FLIGHT if kind == "file" else 1
            return Lane(endpoint=endpoint, limit=limit, host=asyncio.Semaphore(limit))
        if kind == "webhook":
            host = urlsplit(way).netloc.rpartition("@")[2]
        else:  # of apprise the host is not known: it is a secret
            host = kind if kind in ("mail", "kafka") else way
        return Lane(
            endpoint=endpoint,
            # Half of the host's at most, so that one of its endpoints leaves room for others.
            limit=max(1, (self._in_flight + 1) // 2) if kind == "webhook" else 1,
            host=self._hosts.setdefault(host, asyncio.Semaphore(self._in_flight)),
        )
