"""Accounts: who may ask from beyond this machine, by a token of which only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from ingest.errors import UsageError
from ingest.wire import SCHEMA, Time
from search.scopes import Scope

TOKEN_PREFIX = "ww_"  # noqa: S105  what a token begins with, so that people know it for one
TOKEN_BYTES = 32
"""256 bits: nobody guesses one, so a fast hash is enough (a password would need a slow one)."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,59}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who may ask: a record of the topic ``accounts``.

    Attributes:
        owner: Whose subscriptions, channels and marks it works with; several may share one.
        scopes: ``read`` looks, ``write`` changes what is its own, ``admin`` sees and changes all.
        token: The SHA-256 of its token.
        revoked: From when on it is not let in any more.
    """

    name: str
    owner: str
    scopes: tuple[Scope, ...]
    token: str
    created: Time
    revoked: Time | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that logged in with an account's token.

    Attributes:
        token: The SHA-256 of that token: with the account the session ends.
    """

    token: str
    created: Time
    expires: Time
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """When an account last asked; a record of its own, which no change of the account undoes."""

    at: Time
    schema: int = SCHEMA


def new_token() -> str:
    """A token: ``ww_`` and 43 characters."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(secret: str) -> str:
    """What is kept of a token or of a session's cookie."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_same(left: str, right: str) -> bool:
    """Whether two hashes are equal; how long that takes says nothing of where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


def check_account_name(name: str, *, what: str = "name") -> str:
    """``name``. Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"an account's {what} is 1 to 60 letters, digits or . _ @ -",
            hint="Give it a short name, such as newsdesk.",
        )
    return name


def check_scopes(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """``scopes`` with what they include: who writes reads, who administers does all."""
    if "admin" in scopes:
        return ("read", "write", "admin")
    if "write" in scopes:
        return ("read", "write")
    return ("read",)
