"""A hostile feed server for tests: one path a fault, on 127.0.0.1, port chosen by the system.

async with EvilServer() as server:
    await fetcher.fetch(server.url("/gzip-bomb"))
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import ssl
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Self

GOOD = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour news</title>'
    b"<link>https://example.org/</link><item><guid>1</guid><title>Ferry runs again</title>"
    b"<link>https://example.org/1</link></item></channel></rss>"
)
MEGABYTE = b" " * (1 << 20)


@cache
def bomb(megabytes: int = 1024) -> bytes:
    """A gzip stream of about a thousandth of what it unpacks to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b'<rss version="2.0"><channel><title>')]
    parts += [packer.compress(MEGABYTE) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


class Exchange:
    """One request and the means to answer it."""

    def __init__(self, server: EvilServer, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.head = head
        self.writer = writer
        self.path = head.split(b" ", 2)[1].decode("latin-1")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.server.sent[self.path] += len(data)

    async def start(self, status: str = "200 OK", **headers: str | int) -> None:
        lines = {"Content-Type": "application/rss+xml", "Connection": "close"}
        lines |= {name.replace("_", "-"): str(value) for name, value in headers.items()}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"HTTP/1.1 {status}\r\n{text}\r\n".encode("utf-8", "surrogateescape"))

    async def answer(
        self, body: bytes = GOOD, *, status: str = "200 OK", **headers: str | int
    ) -> None:
        await self.start(status, Content_Length=len(body), **headers)
        await self.send(body)


Handler = Callable[[Exchange], Awaitable[None]]


async def _good(exchange: Exchange) -> None:
    await exchange.answer(ETag='"one"', Last_Modified="Sun, 22 Nov 2026 10:00:00 GMT")


async def _gzip(exchange: Exchange) -> None:
    await exchange.answer(gzip.compress(GOOD), Content_Encoding="gzip")


async def _gzip_members(exchange: Exchange) -> None:
    body = gzip.compress(GOOD[:50]) + gzip.compress(GOOD[50:])
    await exchange.answer(body, Content_Encoding="x-gzip")


async def _gzip_cut(exchange: Exchange) -> None:
    await exchange.answer(gzip.compress(GOOD)[:-12], Content_Encoding="gzip")


async def _deflate(exchange: Exchange) -> None:
    await exchange.answer(zlib.compress(GOOD), Content_Encoding="deflate")


async def _deflate_raw(exchange: Exchange) -> None:
    await exchange.answer(raw_deflate(GOOD), Content_Encoding="deflate")


async def _gzip_bomb(exchange: Exchange) -> None:
    await exchange.answer(bomb(), Content_Encoding="gzip")


async def _gzip_bomb_twice(exchange: Exchange) -> None:
    await exchange.answer(gzip.compress(bomb()), Content_Encoding="gzip, gzip")


async def _stacked_headers(exchange: Exchange) -> None:
    body = gzip.compress(gzip.compress(GOOD))
    await exchange.send(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
    )


async def _brotli(exchange: Exchange) -> None:
    # The head of a brotli stream that announces 16 MB of zeros; nothing may try to unpack it.
    await exchange.answer(b"\x5b\xff\xff\xff\x00" * 8, Content_Encoding="br")


async def _zstd(exchange: Exchange) -> None:
    await exchange.answer(b"\x28\xb5\x2f\xfd\xa4\xff\xff\xff\x7f", Content_Encoding="zstd")


async def _lying_gzip(exchange: Exchange) -> None:
    await exchange.answer(GOOD, Content_Encoding="gzip")


async def _endless(exchange: Exchange) -> None:
    await exchange.start()
    while True:
        await exchange.send(b" " * 65_536)


async def _endless_chunks(exchange: Exchange) -> None:
    await exchange.start(Transfer_Encoding="chunked")
    while True:
        await exchange.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")


async def _huge(exchange: Exchange) -> None:
    await exchange.start(Content_Length=2 << 30)
    while True:
        await exchange.send(b" " * 65_536)


async def _drip(exchange: Exchange) -> None:
    await exchange.start(Content_Length=1 << 20)
    while True:
        await exchange.send(b" ")
        await asyncio.sleep(0.05)


async def _drip_headers(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        await exchange.send(b"X-%d: y\r\n" % number)
        await asyncio.sleep(0.05)


async def _flood_headers(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(2_000_000):
        await exchange.send(b"X-%d: %s\r\n" % (number, b"y" * 100))


async def _huge_header(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        await exchange.send(b"y" * 65_536)


async def _flood_interim(exchange: Exchange) -> None:
    while True:
        await exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


async def _long_length(exchange: Exchange) -> None:
    await exchange.start(Content_Length=len(GOOD) + 5_000)
    await exchange.send(GOOD)


async def _reset(exchange: Exchange) -> None:
    await exchange.start(Content_Length=len(GOOD), ETag='"never-saved"')
    await exchange.send(GOOD[:40])
    exchange.writer.transport.abort()


async def _cut_chunks(exchange: Exchange) -> None:
    await exchange.start(Transfer_Encoding="chunked")
    await exchange.send(b"%x\r\n" % len(GOOD) + GOOD + b"\r\n")


async def _silent(exchange: Exchange) -> None:
    del exchange
    await asyncio.sleep(3_600)


async def _close(exchange: Exchange) -> None:
    exchange.writer.close()


async def _garbage(exchange: Exchange) -> None:
    await exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n\x00\x01\x02\r\n\r\n")


async def _loop(exchange: Exchange) -> None:
    await exchange.answer(b"", status="302 Found", Location="/loop")


async def _not_found(exchange: Exchange) -> None:
    await exchange.answer(b"<p>gone</p>" * 20_000, status="404 Not Found")


async def _too_many(exchange: Exchange) -> None:
    await exchange.answer(gzip.compress(b"x"), status="429 Too Many Requests", Retry_After="120",
                          Content_Encoding="br")  # fmt: skip


async def _not_modified(exchange: Exchange) -> None:
    await exchange.start("304 Not Modified", ETag='"one"')


HANDLERS: dict[str, Handler] = {
    "/good": _good,
    "/gzip": _gzip,
    "/gzip-members": _gzip_members,
    "/gzip-cut": _gzip_cut,
    "/deflate": _deflate,
    "/deflate-raw": _deflate_raw,
    "/gzip-bomb": _gzip_bomb,
    "/gzip-bomb2": _gzip_bomb_twice,
    "/stacked-headers": _stacked_headers,
    "/brotli": _brotli,
    "/zstd": _zstd,
    "/lying-gzip": _lying_gzip,
    "/endless": _endless,
    "/endless-chunks": _endless_chunks,
    "/huge": _huge,
    "/drip": _drip,
    "/drip-headers": _drip_headers,
    "/flood-headers": _flood_headers,
    "/huge-header": _huge_header,
    "/flood-interim": _flood_interim,
    "/long-length": _long_length,
    "/rst": _reset,
    "/cut-chunks": _cut_chunks,
    "/silent": _silent,
    "/close": _close,
    "/garbage": _garbage,
    "/loop": _loop,
    "/404": _not_found,
    "/429": _too_many,
    "/304": _not_modified,
}


class EvilServer:
    """Serves `HANDLERS`, ``/to/URL`` (302), ``/moved/URL`` (301), ``/chain/N`` and own paths.

    Attributes:
        connections: How many were accepted.
        heads: The bytes of each request's head, in order.
        sent: Bytes written, by path.
        handlers: Paths of one test's own.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.sent: Counter[str] = Counter()
        self.handlers: dict[str, Handler] = {}
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str, *, name: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{name}:{self.port}{path}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                exchange = Exchange(self, head, writer)
                await self._handle(exchange)
                await writer.drain()
            finally:
                writer.close()

    async def _handle(self, exchange: Exchange) -> None:
        path = exchange.path
        if handler := self.handlers.get(path) or HANDLERS.get(path.partition("?")[0]):
            await handler(exchange)
        elif path.startswith("/to/"):
            await exchange.answer(b"", status="302 Found", Location=path[4:])
        elif path.startswith("/moved/"):
            await exchange.answer(b"", status="301 Moved", Location=path[7:])
        elif path.startswith("/chain/"):
            following = int(path.rsplit("/", 1)[1]) + 1
            await exchange.answer(b"", status="302 Found", Location=f"/chain/{following}")
        else:
            await exchange.answer(b"", status="404 Not Found")
