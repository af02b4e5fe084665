"""One bounded, conditional GET: what a feed's host answers, or why there is no answer.

Bounds: one deadline over look-up, every hop and the body (a read timeout never fires on a server
that sends a byte now and then); bytes on the wire and decoded; redirects, each judged anew.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

from aiohttp import ClientResponse
from aiohttp.abc import AbstractResolver
from yarl import URL

from ingest.answer import (
    NOT_MODIFIED,
    FetchResult,
    Hop,
    condition_headers,
    is_success,
    make_result,
)
from ingest.connections import Connections, OpenSocket, plain_socket
from ingest.decode import read_body
from ingest.errors import FeedError, FetchError
from ingest.guard import Guard, parse_url, split_credentials
from ingest.network_errors import NETWORK_ERRORS, broke, explain
from ingest.politeness import HostSlots
from ingest.settings import FetchSettings

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
"""What Wirewatch reads, feeds first: some servers choose the format by it."""

SAMPLE_BYTES = 65_536
"""Of an answer that is no success only so much is read: enough to tell a login page by."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAMPLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is asked of every hop."""

    conditions: dict[str, str]
    credentials: tuple[str, str] | None
    verify_tls: bool


class Fetcher:
    """Fetches feeds and pages behind ``guard``; close it when done.

    Callers hold the turn (`ingest.politeness`) at the host of the URL they fetch; with ``slots``,
    redirects to a host that asked us to stay away are refused too. They take no turn of their own:
    two hosts that redirect to each other would wait for each other. ``resolver``, ``tls`` and
    ``open_socket`` are those of `ingest.connections.Connections`.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        settings: FetchSettings,
        slots: HostSlots | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        open_socket: OpenSocket = plain_socket,
    ) -> None:
        self._settings = settings
        self._slots = slots
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
        ``credentials`` (user, password) are sent to the host of ``url`` only; also where it sends
        us on from http to https.

        Raises:
            BlockedAddressError: the host, or that of a redirect, has no public address.
            FetchError: no whole answer within the limits, or one we refuse.
        """
        first, credentials = _first_url(url, credentials)
        request = _Request(
            conditions=condition_headers(etag, last_modified),
            credentials=credentials,
            verify_tls=verify_tls,
        )
        seconds = self._settings.total_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(first, request)
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
            credentials = request.credentials if _is_same_site(first, url) else None
            try:
                async with self._ask(url, request, credentials=credentials) as response:
                    target = _target(url, response)
                    if target is None:
                        return await self._result(response, request, hops=tuple(hops))
                    status = response.status
            except NETWORK_ERRORS as error:
                raise explain(error, url) from error
            hops.append(Hop(status=status, url=str(url)))
            if len(hops) > self._settings.redirects:
                raise _too_many([*hops, Hop(status=0, url=str(target))])
            _refuse_downgrade(url, target)
            if self._slots is not None:
                self._slots.refuse_held(str(target))
            url = target

    @asynccontextmanager
    async def _ask(
        self, url: URL, request: _Request, *, credentials: tuple[str, str] | None
    ) -> AsyncIterator[ClientResponse]:
        headers = self._headers | request.conditions
        if credentials:
            pair = b64encode(":".join(credentials).encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        response = await self._connections.request(
            "GET",
            url,
            headers=headers,
            connect_seconds=self._settings.connect_seconds,
            verify_tls=request.verify_tls,
        )
        try:
            yield response
        finally:
            response.close()

    async def _result(
        self, response: ClientResponse, request: _Request, *, hops: tuple[Hop, ...]
    ) -> FetchResult:
        if response.status == NOT_MODIFIED and not request.conditions:
            raise broke(f"{response.url.host}: 304 to a request without conditions")
        body = await self._body(response)
        url, headers = str(response.url), response.headers
        return make_result(response.status, body, url=url, headers=headers, hops=hops)

    async def _body(self, response: ClientResponse) -> bytes:
        if response.status == NOT_MODIFIED:
            return b""
        wire, decoded = self._settings.wire_bytes, self._settings.decoded_bytes
        if is_success(response.status):
            return await read_body(response, wire_bytes=wire, decoded_bytes=decoded)
        # The status and Retry-After of a refusal count, whether its page can be read or not.
        try:
            async with asyncio.timeout(_SAMPLE_SECONDS):
                return await read_body(
                    response, wire_bytes=wire, decoded_bytes=SAMPLE_BYTES, cut=True
                )
        except (FeedError, *NETWORK_ERRORS):
            return b""


def _first_url(
    text: str, credentials: tuple[str, str] | None
) -> tuple[URL, tuple[str, str] | None]:
    """``text`` as it is asked for, without credentials, and these."""
    try:
        bare, user, password = split_credentials(text)
    except ValueError as error:
        raise _not_http(text) from error
    if credentials is None and (user or password):
        credentials = user, password
    return parse_url(bare).with_fragment(None), credentials


def _is_same_site(first: URL, url: URL) -> bool:
    """Whether ``url`` may have what was meant for ``first``: its origin, or that made secure."""
    upgraded = (first.scheme, first.port, url.scheme, url.port) == ("http", 80, "https", 443)
    return url.origin() == first.origin() or (upgraded and url.host == first.host)


def _target(url: URL, response: ClientResponse) -> URL | None:
    """Where ``response`` sends us, or None where it is the answer itself."""
    location = response.headers.get("Location", "").strip()
    if response.status not in _REDIRECTS or not location:
        return None
    try:
        target = parse_url(urljoin(str(url), location))
    except ValueError as error:
        raise _not_http(location) from error
    # A redirect brings no credentials of its own and, like any request, no fragment.
    return target.with_user(None).with_fragment(None) if target.raw_user else target


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


def _not_http(text: str) -> FetchError:
    return FetchError(
        f"not an http or https URL: {text[:200]!r}",
        code="url",
        sentence="Only http and https addresses are fetched.",
        retry=False,
    )
