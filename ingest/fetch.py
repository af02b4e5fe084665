"""One bounded, conditional GET: what a feed's host answers, or why there is no answer.

Bounds: one deadline over look-up, every hop and the body (a read timeout never fires on a server
that sends a byte now and then); bytes on the wire and decoded; redirects, each judged anew.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urljoin

from aiohttp import BasicAuth, ClientResponse
from aiohttp.abc import AbstractResolver
from pydantic import Field
from yarl import URL

from ingest.connections import Connections, OpenSocket, plain_socket
from ingest.decode import Decoder, content_encoding
from ingest.errors import FeedError, FetchError
from ingest.guard import Guard, parse_url
from ingest.network_errors import NETWORK_ERRORS, broke, explain

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
"""What Wirewatch reads, feeds first: some servers choose the format by it."""

SAMPLE_BYTES = 65_536
"""Of an answer that is no success only so much is read: enough to tell a login page by."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_OK = range(200, 300)
_NOT_MODIFIED = 304
_SAMPLE_SECONDS = 2.0
_MAX_VALIDATOR_CHARS = 1_024
_HOSTILE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """The section ``[fetch]``."""

    total_seconds: Annotated[
        float, Field(gt=0, description="Longest time of one fetch, all redirects included.")
    ] = 30.0
    connect_seconds: Annotated[
        float, Field(gt=0, description="Longest time to look a host up and connect, in seconds.")
    ] = 10.0
    wire_bytes: Annotated[
        int, Field(gt=0, description="Largest body as it comes over the wire, in bytes.")
    ] = 10_000_000
    decoded_bytes: Annotated[
        int, Field(gt=0, description="Largest body once unpacked, in bytes.")
    ] = 15_000_000
    redirects: Annotated[int, Field(ge=0, description="Most redirects followed in a row.")] = 5
    host_gap_seconds: Annotated[
        float, Field(ge=0, description="Shortest time between two requests to one host.")
    ] = 1.0
    host_connections: Annotated[
        int, Field(gt=0, description="Most requests to one host at the same time.")
    ] = 1
    user_agent: Annotated[
        str, Field(min_length=1, description="How Wirewatch names itself to servers.")
    ] = "Wirewatch/0.1"
    contact: Annotated[
        str, Field(description="Address or page where a site's owner reaches you; sent along.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One answer on the way that led elsewhere."""

    status: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """A whole answer.

    Attributes:
        status: Of the last hop; anything but a redirect that could be followed.
        url: The last URL asked, without credentials.
        body: Decoded; empty when not modified; at most 64 kB where ``status`` is no success, and
            empty there if it could not be read.
        etag: Opaque, to be given back as it is; empty where absent or hostile.
        retry_after: As sent; see `ingest.retry_after`.
        max_age_seconds: Of Cache-Control, or None.
        hops: The redirects followed, in order.
        permanent_url: ``url``, if every redirect was permanent and the answer is a success.
    """

    status: int
    url: str
    body: bytes
    content_type: str
    etag: str
    last_modified: str
    retry_after: str
    max_age_seconds: int | None
    hops: tuple[Hop, ...]
    permanent_url: str
    not_modified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is asked of every hop."""

    validators: dict[str, str]
    credentials: tuple[str, str] | None
    verify_tls: bool


class Fetcher:
    """Fetches feeds and pages behind ``guard``; close it when done."""

    def __init__(
        self,
        *,
        guard: Guard,
        settings: FetchSettings,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        open_socket: OpenSocket = plain_socket,
    ) -> None:
        self._settings = settings
        self._connections = Connections(guard, resolver=resolver, tls=tls, open_socket=open_socket)
        contact = f" (+{settings.contact})" if settings.contact else ""
        self._headers = {
            "User-Agent": settings.user_agent + contact,
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip, deflate",
        }

    async def fetch(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        credentials: tuple[str, str] | None = None,
        verify_tls: bool = True,
    ) -> FetchResult:
        """What ``url`` answers, whatever the status; the body whole or not at all.

        ``etag`` and ``last_modified`` of an earlier answer make the request conditional.
        ``credentials`` (user, password) are sent to the host of ``url`` only.

        Raises:
            BlockedAddressError: the host, or that of a redirect, has no public address.
            FetchError: no whole answer within the limits, or one we refuse.
        """
        request = _Request(
            validators=_validators(etag, last_modified),
            credentials=credentials,
            verify_tls=verify_tls,
        )
        seconds = self._settings.total_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(_first_url(url), request)
        except TimeoutError as error:
            raise FetchError(
                f"deadline of {seconds} s passed at {url[:200]}",
                code="timed-out",
                sentence=f"Timed out after {seconds:g} s.",
                hint="The server is very slow or stuck; it is tried again later.",
            ) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def _follow(self, first: URL, request: _Request) -> FetchResult:
        hops: list[Hop] = []
        url = first
        while True:
            try:
                found = await self._ask(url, request, hops=tuple(hops), first=first)
            except NETWORK_ERRORS as error:
                raise explain(error, url) from error
            if isinstance(found, FetchResult):
                return found
            hops.append(Hop(status=found[0], url=str(url)))
            if len(hops) > self._settings.redirects:
                raise _too_many([*hops, Hop(status=0, url=str(found[1]))])
            _refuse_downgrade(url, found[1])
            url = found[1]

    async def _ask(
        self, url: URL, request: _Request, *, hops: tuple[Hop, ...], first: URL
    ) -> FetchResult | tuple[int, URL]:
        """The answer of one hop, or status and target of a redirect."""
        headers = self._headers | request.validators
        if request.credentials and url.origin() == first.origin():
            headers["Authorization"] = BasicAuth(*request.credentials, encoding="utf-8").encode()
        response = await self._connections.request(
            "GET",
            url,
            headers=headers,
            connect_seconds=self._settings.connect_seconds,
            verify_tls=request.verify_tls,
        )
        try:
            location = response.headers.get("Location", "")
            if response.status in _REDIRECTS and location:
                return response.status, _target(url, location)
            if response.status == _NOT_MODIFIED and not request.validators:
                raise broke(f"{url.host}: 304 to a request without conditions")
            body = await self._body(response)
        finally:
            response.close()
        return _result(response, body, url=url, hops=hops)

    async def _body(self, response: ClientResponse) -> bytes:
        if response.status == _NOT_MODIFIED:
            return b""
        if response.status in _OK:
            return await self._read(response)
        # The status and Retry-After of a refusal count, whether its page can be read or not.
        sample = bytearray()
        try:
            async with asyncio.timeout(_SAMPLE_SECONDS):
                async for piece in self._pieces(response):
                    sample += piece[: SAMPLE_BYTES - len(sample)]
                    if len(sample) >= SAMPLE_BYTES:
                        break
        except (FeedError, *NETWORK_ERRORS):
            return b""
        return bytes(sample)

    async def _read(self, response: ClientResponse) -> bytes:
        limit = self._settings.decoded_bytes
        body = bytearray()
        async for piece in self._pieces(response):
            body += piece
            if len(body) > limit:
                raise _too_large(f"{limit / 1e6:g} MB unpacked")
        return bytes(body)

    async def _pieces(self, response: ClientResponse) -> AsyncIterator[bytes]:
        """The decoded body in small pieces; ends only where the body was whole."""
        limit = self._settings.wire_bytes
        encoding = content_encoding(", ".join(response.headers.getall("Content-Encoding", ())))
        if (response.content_length or 0) > limit:
            raise _too_large(f"{limit / 1e6:g} MB")
        decoder = Decoder(encoding)
        received = 0
        async for chunk in response.content.iter_any():
            received += len(chunk)
            if received > limit:
                raise _too_large(f"{limit / 1e6:g} MB")
            for piece in decoder.feed(chunk):
                yield piece
                # A bomb is thousands of pieces a chunk: other feeds get their turn between.
                await asyncio.sleep(0)
        if not decoder.finished:
            raise broke(f"{encoding} stream ends in the middle")


def _first_url(text: str) -> URL:
    try:
        return parse_url(text).with_fragment(None)
    except ValueError as error:
        raise _not_http(text) from error


def _target(url: URL, location: str) -> URL:
    try:
        target = parse_url(urljoin(str(url), location.strip()))
    except ValueError as error:
        raise _not_http(location) from error
    # A redirect brings no credentials of its own and, like any request, no fragment.
    return target.with_user(None).with_fragment(None) if target.raw_user else target


def _result(
    response: ClientResponse, body: bytes, *, url: URL, hops: tuple[Hop, ...]
) -> FetchResult:
    headers = response.headers
    success = response.status in _OK or response.status == _NOT_MODIFIED
    moved = bool(hops) and success and all(hop.status in _PERMANENT for hop in hops)
    age = _MAX_AGE.search(headers.get("Cache-Control", ""))
    return FetchResult(
        status=response.status,
        url=str(url),
        body=body,
        content_type=_HOSTILE.sub("", headers.get("Content-Type", "")),
        etag=_safe(headers.get("ETag", "")),
        last_modified=_safe(headers.get("Last-Modified", "")),
        retry_after=_HOSTILE.sub("", headers.get("Retry-After", "")),
        max_age_seconds=int(age[1]) if age else None,
        hops=hops,
        permanent_url=str(url) if moved else "",
        not_modified=response.status == _NOT_MODIFIED,
    )


def _safe(validator: str) -> str:
    """``validator``, or nothing where it could not be given back as it came (F15)."""
    if len(validator) > _MAX_VALIDATOR_CHARS or _HOSTILE.search(validator):
        return ""
    return validator


def _validators(etag: str, last_modified: str) -> dict[str, str]:
    found = {"If-None-Match": _safe(etag), "If-Modified-Since": _safe(last_modified)}
    return {name: value for name, value in found.items() if value}


def _refuse_downgrade(url: URL, target: URL) -> None:
    if url.scheme == "https" and target.scheme == "http":
        raise FetchError(
            f"redirect from {url} to {target}",
            code="downgrade",
            sentence=f"Refused: redirect from https to http ({target.host}).",
            hint="If you trust the unprotected address, add it as the feed's own.",
        )


def _too_many(hops: list[Hop]) -> FetchError:
    chain = " → ".join(hop.url[:200] for hop in hops)
    return FetchError(
        f"{len(hops) - 1} redirects: {chain}",
        code="redirects",
        sentence=f"Too many redirects: {chain}.",
        hint="The site sends visitors in a circle; look for the feed's present address.",
    )


def _too_large(limit: str) -> FetchError:
    return FetchError(
        f"body above {limit}",
        code="too-large",
        sentence=f"Refused: body larger than {limit}.",
        hint="Feeds are rarely above 1 MB; check that the address is a feed's.",
    )


def _not_http(text: str) -> FetchError:
    return FetchError(
        f"not an http or https URL: {text[:200]!r}",
        code="url",
        sentence="Only http and https addresses are fetched.",
        retry=False,
    )
