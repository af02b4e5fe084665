"""What the errors of Elasticsearch's client mean to us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, TransportError, UnsupportedProductError

from ingest.errors import StoreError, UnavailableError, WirewatchError

BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, 502, 503, 504})
"""A status that says: later."""

FORBIDDEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_FLOOD = "flood-stage"
BLOCK = "cluster_block_exception"
_VERSION = "media_type_header_exception"
_PRIVILEGE = re.compile(r"granted by the \w+ privileges \[([^\]]*)\]")
_ACTION = re.compile(r"action \[([^\]]*)\]")
_PRODUCT_HEADER = "x-elastic-product"


@contextmanager
def translated(url: str, doing: str) -> Iterator[None]:
    """Raise what Elasticsearch's client raises inside as an error of ours.

    Args:
        url: Where Elasticsearch is, as the settings name it.
        doing: What fails then, as a noun: "reading the checkpoint".
    """
    try:
        yield
    except (ApiError, TransportError) as error:
        raise store_error(error, url, doing) from error


def store_error(error: Exception, url: str, doing: str) -> WirewatchError:
    """``error`` of Elasticsearch's client as one of ours."""
    message = f"{doing}: {type(error).__name__}: {error}"[:1000]
    if isinstance(error, ApiError):
        return _answered(error, url, message) or StoreError(
            message,
            sentence=f"Elasticsearch at {url} refuses {doing}: {said(error)[1][:300]}",
            hint="wirewatch doctor shows its state.",
        )
    return unreachable(url, message)


def _answered(error: ApiError, url: str, message: str) -> StoreError | None:
    """What an answer says that is no matter of the question; None where it is."""
    kind, reason = said(error)
    if kind == _VERSION:
        return _newer_client(url, message, reason)
    if kind == BLOCK or error.meta.status in BUSY:
        return refusing(url, message)
    if error.meta.status in FORBIDDEN:
        return forbidden(url, message, status=error.meta.status, reason=reason)
    if isinstance(error, UnsupportedProductError) or not is_elasticsearch(error):
        return _impostor(url, message)
    return None


def said(error: ApiError) -> tuple[str, str]:
    """The type and the reason in the body of ``error``; what there is of them."""
    fault = error.body.get("error") if isinstance(error.body, Mapping) else error.body
    if not isinstance(fault, Mapping):
        return "", str(fault or "")
    return str(fault.get("type", "")), str(fault.get("reason", ""))


def is_elasticsearch(error: ApiError) -> bool:
    """Whether it was Elasticsearch that answered, and no proxy before it."""
    return error.meta.headers.get(_PRODUCT_HEADER, "") == "Elasticsearch"


def unreachable(url: str, message: str) -> UnavailableError:
    """No answer, or not in time."""
    return UnavailableError(
        message,
        sentence=f"Elasticsearch is not reachable at {url}.",
        hint='Start it, correct [index] url and ca_file, or set [index] backend = "tantivy".',
    )


def refusing(url: str, message: str) -> UnavailableError:
    """It answers, but takes nothing now."""
    if _FLOOD in message:
        return UnavailableError(
            message,
            sentence="Elasticsearch is refusing writes: the disk is above 95 % on a node.",
            hint="Free space there; it goes on by itself, and searches work meanwhile.",
            code="disk-full",
        )
    return UnavailableError(
        message,
        sentence=f"Elasticsearch at {url} is refusing writes.",
        hint=f"It is asked again by itself. It says: {message[:200]}",
    )


def forbidden(url: str, message: str, *, status: int, reason: str) -> StoreError:
    """It does not know us, or does not let us: no repetition helps."""
    if status == HTTPStatus.UNAUTHORIZED:
        return StoreError(
            message,
            sentence=f"Elasticsearch at {url} does not accept the login.",
            hint="Check [index] api_key_file, or user and password_file: wrong or expired?",
            code="unauthorised",
        )
    privilege, action = _PRIVILEGE.search(reason), _ACTION.search(reason)
    missing = privilege[1] if privilege else action[1] if action else "unknown"
    return StoreError(
        message,
        sentence=f"Elasticsearch at {url} does not let Wirewatch do this: {missing}.",
        hint="Give the API key or user that privilege (docs/many-machines.md lists all of them).",
        code="forbidden",
    )


def _impostor(url: str, message: str) -> StoreError:
    return StoreError(
        message,
        sentence=f"What answers at {url} is not Elasticsearch: it does not say so in its answers.",
        hint="Correct [index] url; a proxy before it must pass the header X-Elastic-Product.",
    )


def _newer_client(url: str, message: str, reason: str) -> StoreError:
    version = re.search(r"version must be either version (\d+)", reason)
    line = version[1] if version else "8"
    return StoreError(
        message,
        sentence=f"Elasticsearch at {url} is of version {line}, older than the installed client.",
        hint=f"Install the client of its line: pip install 'elasticsearch<{int(line) + 1}'",
        code="newer-client",
    )


def fault_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """The type and the reason of an item of a bulk's answer; the cause behind it where given."""
    fault = item.get("error")
    if not isinstance(fault, Mapping):
        return "", str(fault or "")
    reason = str(fault.get("reason", ""))
    cause = fault.get("caused_by")
    if isinstance(cause, Mapping) and cause.get("reason"):
        reason = f"{reason} ({cause['reason']})"
    return str(fault.get("type", "")), reason
