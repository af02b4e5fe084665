"""What a host answered: the status, the body and the few headers that matter to us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NOT_MODIFIED = 304
PERMANENT = frozenset({301, 308})

_OK = range(200, 300)
_MAX_VALIDATOR_CHARS = 1_024
_HOSTILE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})(?![0-9])", re.IGNORECASE)


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


def make_result(
    status: int,
    body: bytes,
    *,
    url: str,
    headers: Mapping[str, str],
    hops: tuple[Hop, ...],
) -> FetchResult:
    """The answer with ``status``, ``body`` and ``headers`` that ``url`` gave after ``hops``."""
    success = is_success(status) or status == NOT_MODIFIED
    moved = bool(hops) and success and all(hop.status in PERMANENT for hop in hops)
    age = _MAX_AGE.search(headers.get("Cache-Control", ""))
    return FetchResult(
        status=status,
        url=url,
        body=body,
        content_type=_HOSTILE.sub("", headers.get("Content-Type", "")),
        etag=_safe(headers.get("ETag", "")),
        last_modified=_safe(headers.get("Last-Modified", "")),
        retry_after=_HOSTILE.sub("", headers.get("Retry-After", "")),
        max_age_seconds=int(age[1]) if age else None,
        hops=hops,
        permanent_url=url if moved else "",
        not_modified=status == NOT_MODIFIED,
    )


def is_success(status: int) -> bool:
    """Whether ``status`` says that the body is what was asked for."""
    return status in _OK


def condition_headers(etag: str, last_modified: str) -> dict[str, str]:
    """The headers that make a request conditional; hostile or empty validators are left out."""
    found = {"If-None-Match": _safe(etag), "If-Modified-Since": _safe(last_modified)}
    return {name: value for name, value in found.items() if value}


def _safe(validator: str) -> str:
    """``validator``, or nothing where it could not be given back byte for byte (F15)."""
    if len(validator) > _MAX_VALIDATOR_CHARS or _HOSTILE.search(validator):
        return ""
    return validator
