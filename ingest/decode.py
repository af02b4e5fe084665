"""Bounded decoding of a response body: one encoding, small steps, a hard limit.

One-shot decoding of a 1 MB gzip bomb takes 2 GB, of a stacked one 4 GB (measured with httpx);
``zlib.decompressobj().decompress(data, max_length)`` never holds more than it was asked for.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from aiohttp import ClientResponse

from ingest.errors import FetchError
from ingest.network_errors import broke

STEP_BYTES = 65_536
"""Output of one step; what may be held beyond the limit (F01)."""

MAX_MEMBERS = 1_000
"""A gzip file may be several (RFC 1952), but 10 MB of empty ones would cost seconds."""

_NO_ENCODING = frozenset({"", "identity", "none", "binary", "8bit", "utf-8", "utf8"})
"""What servers that encode nothing write, charsets and MIME terms among it; browsers pass it by."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


def content_encoding(header: str) -> str:
    """The one encoding that ``header`` (Content-Encoding) names: ``gzip``, ``deflate`` or empty.

    Raises:
        FetchError: several encodings, or one we did not ask for.
    """
    names = [name.strip().lower() for name in header.split(",")]
    names = [name.removeprefix("x-") for name in names if name not in _NO_ENCODING]
    if not names:
        return ""
    if len(names) > 1 or names[0] not in {"gzip", "deflate"}:
        raise _refusal(header)
    return names[0]


async def read_body(
    response: ClientResponse, *, wire_bytes: int, decoded_bytes: int, cut: bool = False
) -> bytes:
    """The decoded body of ``response``, whole; with ``cut``, its first ``decoded_bytes``.

    Raises:
        FetchError: above a limit, in an encoding we refuse, or broken off.
    """
    encoding = content_encoding(", ".join(response.headers.getall("Content-Encoding", ())))
    if not cut and (response.content_length or 0) > wire_bytes:
        raise _too_large(f"{wire_bytes / 1e6:g} MB")
    decoder, body, received = Decoder(encoding), bytearray(), 0
    async for chunk in response.content.iter_any():
        received += len(chunk)
        if received > wire_bytes:
            raise _too_large(f"{wire_bytes / 1e6:g} MB")
        for piece in decoder.feed(chunk):
            body += piece
            if len(body) > decoded_bytes:
                if cut:
                    return bytes(body[:decoded_bytes])
                raise _too_large(f"{decoded_bytes / 1e6:g} MB unpacked")
            # A bomb is thousands of pieces a chunk: others get their turn between two.
            await asyncio.sleep(0)
    if not decoder.finished:
        raise broke(f"{encoding} stream ends in the middle")
    return bytes(body)


class Decoder:
    """Bytes on the wire to bytes of the body.

    ``feed`` yields pieces of at most 64 KB, so that a caller can count and stop; ``finished``
    says whether the stream was whole.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._stream = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
        self._head = b""
        self._fed = False
        self._members = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that ``data`` completes.

        Raises:
            FetchError: ``data`` is not in the encoding the header names.
        """
        if not self._encoding:
            for start in range(0, len(data), STEP_BYTES):
                yield data[start : start + STEP_BYTES]
            return
        self._fed = self._fed or bool(data)
        try:
            yield from self._inflate(data)
        except zlib.error as error:
            raise _refusal(f"{self._encoding}, which the body is not in") from error

    @property
    def finished(self) -> bool:
        """Whether the end of the encoded stream was seen; an empty body is whole."""
        if not self._encoding or not self._fed:
            return True
        return self._stream is not None and self._stream.eof

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        data, self._head = self._head + data, b""
        if self._stream is None:
            if len(data) < 2:  # noqa: PLR2004 - the two bytes of a zlib header (RFC 1950)
                self._head = data
                return
            self._stream = zlib.decompressobj(_ZLIB if _is_zlib(data) else _RAW)
        while True:
            if self._stream.eof:
                data = self._next_member(data)
                if not data:
                    return
            piece = self._stream.decompress(data, STEP_BYTES)
            data = self._stream.unconsumed_tail or self._stream.unused_data
            if piece:
                yield piece
            if not data and len(piece) < STEP_BYTES:
                return

    def _next_member(self, data: bytes) -> bytes:
        if self._encoding != "gzip" or data[:2] not in {_GZIP_MAGIC, _GZIP_MAGIC[:1]}:
            return b""  # bytes after the end are ignored, as browsers and curl do
        if len(data) == 1:
            self._head = data
            return b""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise _refusal(f"gzip in more than {MAX_MEMBERS} parts")
        self._stream = zlib.decompressobj(_GZIP)
        return data


def _is_zlib(data: bytes) -> bool:
    # Half of the servers that say deflate send zlib, as RFC 9110 wants; the others send raw.
    return data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0


def _refusal(encoding: str) -> FetchError:
    return FetchError(
        f"refused encoding {encoding[:100]!r}",
        code="encoding",
        sentence=f"Refused: encoding {encoding[:100]}.",
        hint="Only plain, gzip or deflate answers are read, which every server can send.",
    )


def _too_large(limit: str) -> FetchError:
    return FetchError(
        f"body above {limit}",
        code="too-large",
        sentence=f"Refused: body larger than {limit}.",
        hint="Feeds are rarely above 1 MB; check that the address is a feed's.",
    )
