"""How often a host wants to hear from us: one connection, a second apart, and its Retry-After."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ingest.errors import FetchError
from ingest.guard import Guard, parse_url

SWEEP_EVERY = 10_000
"""Hosts remembered before idle ones are dropped: redirects can name ever new ones."""


@dataclass(slots=True, kw_only=True)
class _Host:
    """What we owe one host; times are of the monotonic clock."""

    slots: asyncio.Semaphore
    users: int = 0
    next_start: float = 0.0
    held_until: float = 0.0


@dataclass(kw_only=True)
class HostSlots:
    """Turns to talk to a host, exact within one process.

    Hosts that ``guard`` allows by name are the user's own: they get no gap between requests, and
    each of their ports counts as a host. ``clock`` gives monotonic seconds. ``share_of`` gives
    which part of a host's rate, named by URL, is this process's, above 0 and up to 1.
    """

    guard: Guard
    connections: int = 1
    gap_seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    share_of: Callable[[str], float] = lambda _: 1.0
    _hosts: dict[str, _Host] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """A turn at the host of ``url``, first come first served; waits for it.

        Raises:
            FetchError: the host asked us to stay away for longer (code ``held``); no waiting.
            UsageError: ``url`` is not an http or https URL.
        """
        key, gap = self._rule(url)
        host = self._host(key)
        host.users += 1
        try:
            async with host.slots:
                self._refuse_held(key, host)
                # Reserved before the wait, so that a second connection starts a gap after us.
                start = max(host.next_start, self.clock())
                host.next_start = start + gap
                await asyncio.sleep(start - self.clock())
                # A busy loop wakes us late: the gap is between what the host sees.
                host.next_start = max(host.next_start, self.clock() + gap)
                self._refuse_held(key, host)
                yield
        finally:
            host.users -= 1

    def hold(self, url: str, seconds: float) -> None:
        """Stay away from the whole host of ``url`` for ``seconds`` from now; never shortens."""
        host = self._host(self._rule(url)[0])
        host.held_until = max(host.held_until, self.clock() + seconds)

    def held_seconds(self, url: str) -> float:
        """How long the host of ``url`` still wants no request; 0 where it may be asked."""
        host = self._hosts.get(self._rule(url)[0])
        return max(host.held_until - self.clock(), 0.0) if host else 0.0

    def refuse_held(self, url: str) -> None:
        """Raise the FetchError of `turn` (code ``held``) if the host of ``url`` is held."""
        key = self._rule(url)[0]
        if key in self._hosts:
            self._refuse_held(key, self._hosts[key])

    def _rule(self, url: str) -> tuple[str, float]:
        parsed = parse_url(url)
        name = (parsed.raw_host or "").lower().rstrip(".")
        if self.guard.allows(parsed):
            return f"{name}:{parsed.port}", 0.0
        return name, self.gap_seconds / self.share_of(url)

    def _host(self, key: str) -> _Host:
        if key not in self._hosts:
            if len(self._hosts) >= SWEEP_EVERY and len(self._hosts) % SWEEP_EVERY == 0:
                self._sweep()
            self._hosts[key] = _Host(slots=asyncio.Semaphore(self.connections))
        return self._hosts[key]

    def _sweep(self) -> None:
        now = self.clock()
        self._hosts = {
            key: host
            for key, host in self._hosts.items()
            if host.users or max(host.next_start, host.held_until) > now
        }

    def _refuse_held(self, key: str, host: _Host) -> None:
        seconds = host.held_until - self.clock()
        if seconds > 0:
            raise FetchError(
                f"{key} is held for {seconds:.0f} s",
                code="held",
                sentence=f"{key} asked us to wait; {seconds:.0f} s are left.",
                hint="Nothing to do: it is asked again when the time is over.",
            )
