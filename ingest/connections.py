"""Connections to strangers, made behind the address guard; for feeds, pages and webhooks.

The guard decides at connect time, on the very address the socket is opened for: a name that changes
its answer between check and connect (DNS rebinding), a redirect or an odd spelling gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import (
    AddrInfoType,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ingest.guard import Guard, is_public

MAX_LOOKUPS = 64
"""Look-ups at the same time. asyncio's own pool has six threads on two cores: six names whose
servers do not answer would hold up every other feed (P4)."""

MAX_HEADER_BYTES = 65_536
"""Of one header. aiohttp's 8 kB is less than the Content-Security-Policy of some newspapers;
browsers take 256 kB of all together."""

MAX_HEADERS = 512
"""Lines of a head; a cache that adds a line at every step passes aiohttp's 128."""

OpenSocket = Callable[[AddrInfoType], socket.socket]


class RefusedAddressError(OSError):
    """The address guard refused ``address``; an OSError, so that aiohttp reports it as its own."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not a public address")
        self.address = address


class SystemResolver(AbstractResolver):
    """Name look-ups by the system (hosts file included), each on a thread of its own.

    The threads are daemons: a name server that does not answer cannot delay our end.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MAX_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of ``host``, as the system orders them."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def finish(answers: list[ResolveResult], error: Exception | None) -> None:
            # Only now, also when the caller has given up: the thread was busy until here.
            self._free.release()
            if found.done():
                return
            if error is None:
                found.set_result(answers)
            else:
                found.set_exception(error)

        def run() -> None:
            answers: list[ResolveResult] = []
            failure: Exception | None = None
            try:
                answers = _look_up(host, port, family)
            except (OSError, UnicodeError) as error:
                failure = error
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(finish, answers, failure)

        threading.Thread(target=run, name=f"look up {host}", daemon=True).start()
        return await found

    async def close(self) -> None:
        """Nothing to close."""


class GuardedResolver(AbstractResolver):
    """The answers of ``inner``, refused as a whole when one of them is not public."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of ``host``.

        Raises:
            RefusedAddressError: one is private; a mixed answer is how rebinding begins.
        """
        found = await self._inner.resolve(host, port, family)
        for answer in found:
            if not is_public(answer["host"]):
                raise RefusedAddressError(answer["host"])
        return found

    async def close(self) -> None:
        """Close ``inner``."""
        await self._inner.close()


def plain_socket(info: AddrInfoType) -> socket.socket:
    """An unconnected socket for ``info``."""
    family, kind, proto, _, _ = info
    return socket.socket(family, kind, proto)


def guarded_socket(info: AddrInfoType, *, open_socket: OpenSocket = plain_socket) -> socket.socket:
    """An unconnected socket for ``info``, if its address is public.

    The last word: literal addresses skip the resolver.
    """
    address = str(info[4][0])
    if not is_public(address):
        raise RefusedAddressError(address)
    return open_socket(info)


async def open_guarded(
    guard: Guard, host: str, port: int, *, resolver: AbstractResolver | None = None
) -> socket.socket:
    """A socket connected to ``host``, for protocols other than HTTP; no deadline of its own.

    The address that was checked is the one that is connected to.

    Raises:
        BlockedAddressError: the host is a private address in digits.
        RefusedAddressError: it resolves to one.
        OSError: it cannot be looked up, or none of its addresses answers.
    """
    url = URL.build(scheme="https", host=host, port=port)
    guard.check(url)
    names = resolver or SystemResolver()
    is_free = guard.allows(url)
    found = await (names if is_free else GuardedResolver(names)).resolve(host, port)
    loop = asyncio.get_running_loop()
    failure: OSError = OSError(f"{host} has no address")
    for one in found:
        info = (one["family"], socket.SOCK_STREAM, one["proto"], "", (one["host"], one["port"]))
        opened = plain_socket(info) if is_free else guarded_socket(info)
        opened.settimeout(0)
        try:
            await loop.sock_connect(opened, (one["host"], one["port"]))
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failure


class Connections:
    """HTTP requests behind ``guard``; redirects are never followed.

    Two sessions stand behind it: a guarded one, and a free one that only ever gets requests whose
    own host and port are allowed by name. ``resolver``, ``tls`` and ``open_socket`` let a caller
    bring its own look-ups, certificates and sockets. ``keep_alive`` is for receivers of webhooks,
    which get many requests in a row.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        open_socket: OpenSocket = plain_socket,
        keep_alive: bool = False,
    ) -> None:
        self._guard = guard
        self._keep_alive = keep_alive
        self._tls: ssl.SSLContext | bool = tls or True
        self._open_socket = open_socket
        self._resolver = resolver
        self._guarded: ClientSession | None = None
        self._free: ClientSession | None = None

    async def request(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str],
        connect_seconds: float,
        data: bytes | None = None,
        verify_tls: bool = True,
    ) -> ClientResponse:
        """The answer to one request, its body unread and not decoded; close it.

        No deadline but the one for connecting: callers put ``asyncio.timeout`` around the whole
        exchange. Errors are those of aiohttp; `ingest.network_errors` puts them into words.

        Raises:
            BlockedAddressError: the host is a private address in digits.
        """
        self._guard.check(url)
        return await self._session(url).request(
            method,
            url,
            data=data,
            headers=headers,
            allow_redirects=False,
            ssl=self._tls if verify_tls else False,
            timeout=ClientTimeout(total=None, connect=connect_seconds),
        )

    async def close(self) -> None:
        """Close both sessions and the resolver."""
        for session in (self._guarded, self._free):
            if session is not None:
                await session.close()
        if self._resolver is not None:
            await self._resolver.close()

    def _session(self, url: URL) -> ClientSession:
        # Made at the first request, since aiohttp binds its sessions to the running loop.
        if self._guarded is None or self._free is None:
            self._resolver = self._resolver or SystemResolver()
            self._free = _session(self._resolver, self._open_socket, keep_alive=self._keep_alive)
            self._guarded = _session(
                GuardedResolver(self._resolver), self._open_guarded, keep_alive=self._keep_alive
            )
        return self._free if self._guard.allows(url) else self._guarded

    def _open_guarded(self, info: AddrInfoType) -> socket.socket:
        return guarded_socket(info, open_socket=self._open_socket)


def _look_up(host: str, port: int, family: int) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=port,
            family=kind,
            proto=proto,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, proto, _, address in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    ]


def _session(
    resolver: AbstractResolver, open_socket: OpenSocket, *, keep_alive: bool
) -> ClientSession:
    options: dict[str, Any] = {"limit": 0, "use_dns_cache": False, "force_close": not keep_alive}
    # limit: callers bound what they have in flight. force_close: polls of a host lie minutes
    # apart, and bytes after the announced length are never read as the next answer.
    return ClientSession(
        connector=TCPConnector(resolver=resolver, socket_factory=open_socket, **options),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        raise_for_status=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_HEADERS,
    )
