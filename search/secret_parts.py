"""Which parts of a receiver's address let whoever has them speak to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

SECRET_NAMES = re.compile(
    r"(?i)(?:^|[_-])(?:key|apikey|token|secret|sig|signature|auth|password|passwd|pwd|code|hash)$"
    r"|(?i:apikey|token|secret|password)"
)
"""Query parameters whose value lets whoever has it speak to the receiver."""

_TOKEN = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9._~-]{16,}")
"""What looks like a key wherever it stands: chat systems put theirs into the path."""

Keep = Callable[[str], str]
"""Gives a reference for a secret."""


def hide(url: str, keep: Keep) -> str:
    """``url`` with references for user, password, key-like parameters and path segments."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    netloc = f"{keep(login)}@{host}" if at else host
    path = "/".join(keep(one) if _TOKEN.fullmatch(one) else one for one in parts.path.split("/"))
    return urlunsplit((parts.scheme, netloc, path, _hidden_query(parts.query, keep), ""))


def _hidden_query(query: str, keep: Keep) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_is_secret(name, value) for name, value in pairs):
        return query
    return "&".join(
        f"{quote(name)}={keep(quote(value, safe=''))}"
        if value and _is_secret(name, value)
        else f"{quote(name)}={quote(value)}"
        if not _is_secret(name, value)
        else keep(quote(name, safe=""))
        for name, value in pairs
    )


def _is_secret(name: str, value: str) -> bool:
    alone = not value and _TOKEN.fullmatch(name) is not None
    return alone or SECRET_NAMES.search(name) is not None or _TOKEN.fullmatch(value) is not None
