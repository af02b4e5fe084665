"""What went wrong on the way to a host, in a sentence a person can act on."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import aiohttp
from yarl import URL

from ingest.connections import RefusedAddressError
from ingest.errors import FeedError, FetchError
from ingest.guard import blocked

NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""All that a request, its answer or its body can raise; ValueError for URLs and header values."""

# X509_V_ERR_* of OpenSSL (x509_vfy.h), as ssl.SSLCertVerificationError.verify_code gives them.
_TLS_REASONS = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate chain ends in a self-signed one that this machine does not know",
    20: "its certificate is signed by an authority that this machine does not know",
    21: "its certificate chain is incomplete",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}


def explain(error: Exception, url: URL) -> FeedError:
    """The error for ``error``, met while talking to the host of ``url``."""
    if isinstance(error, FeedError):
        return error
    for cause in reversed(list(_causes(error))):
        if found := _known(cause, url):
            return found
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or str(error.os_error)
        return FetchError(
            f"cannot connect to {url.host}: {error.os_error!r}",
            code="unreachable",
            sentence=f"{url.host} cannot be reached: {reason}.",
        )
    return broke(f"{url.host}: {type(error).__name__}: {error}"[:500])


def broke(message: str) -> FetchError:
    """The error for an answer that did not arrive whole."""
    return FetchError(
        message,
        code="broke",
        sentence="Connection broke before the whole answer had arrived.",
        hint="It is tried again later.",
    )


def _known(cause: BaseException, url: URL) -> FeedError | None:
    host = url.host or ""
    if isinstance(cause, RefusedAddressError):
        return blocked(host, cause.address)
    if isinstance(cause, socket.gaierror):
        return _lookup_error(cause, host)
    if isinstance(cause, ssl.SSLError):
        return _tls_error(cause, host)
    if isinstance(cause, TimeoutError):
        sentence = f"Timed out: {host} did not take the connection in time."
        return FetchError(f"timed out connecting to {host}", code="timed-out", sentence=sentence)
    if isinstance(cause, ConnectionRefusedError):
        return FetchError(
            f"connection refused by {host}:{url.port}",
            code="refused",
            sentence=f"Connection refused by {host}:{url.port}.",
            hint="The server is down, or the port in the address is wrong.",
        )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = getattr(found, "os_error", None) or found.__cause__


def _lookup_error(error: socket.gaierror, host: str) -> FetchError:
    if error.errno == socket.EAI_AGAIN:
        return FetchError(
            f"look-up of {host} failed for now: {error}",
            code="lookup-failed",
            sentence=f"The name {host} could not be looked up just now.",
            hint="If this is so for every feed, check this machine's internet connection.",
        )
    return FetchError(
        f"no such host {host}: {error}",
        code="no-such-host",
        sentence=f"No such host: {host}.",
        hint="Check the address; the site may have moved or closed.",
    )


def _tls_error(error: ssl.SSLError, host: str) -> FetchError:
    reason = "no secure connection could be agreed"
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _TLS_REASONS.get(error.verify_code, error.verify_message)
    return FetchError(
        f"TLS with {host} failed: {error}",
        code="tls",
        sentence=f"Not safe: {host} cannot prove who it is; {reason}.",
        hint="Tell the site's owner; a feed can be read without this check only if you say so.",
    )
