"""Tokens of searches as feeds: feed readers cannot log in, so the address carries one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.errors import NotFoundError, UsageError
from ingest.log import Log, NewRecord
from ingest.wire import SCHEMA, Time, decode, encode

TOPIC = "accounts"
KEY = "feed-token:"
PREFIX = "wwf_"
NAME_CHARS = 100
ID_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedToken:
    """A record of ``accounts``: whose token, and the SHA-256 of it (256 random bits)."""

    id: str
    owner: str
    name: str
    hash: str
    created: Time
    schema: int = SCHEMA


class FeedTokens:
    """The feed tokens of all owners. From any thread."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def add(self, owner: str, name: str) -> tuple[FeedToken, str]:
        """A new one, and the token itself, which is kept nowhere. Raises UsageError."""
        name = " ".join(name.split())
        if not name or len(name) > NAME_CHARS or not name.isprintable():
            raise UsageError(f"a token's name has 1 to {NAME_CHARS} printable characters")
        token = PREFIX + secrets.token_urlsafe(32)
        hashed = _hashed(token)
        made = FeedToken(
            id=hashed[:ID_CHARS], owner=owner, name=name, hash=hashed, created=datetime.now(UTC)
        )
        self._log.append([NewRecord(topic=TOPIC, key=KEY + made.id, value=encode(made))])
        return made, token

    def all(self) -> list[FeedToken]:
        """Every one, oldest first."""
        items = self._log.table(TOPIC).items(KEY)
        found = [decode(FeedToken, one.value) for one in items if one.value is not None]
        return sorted(found, key=lambda one: (one.created, one.id))

    def get(self, token_id: str) -> FeedToken:
        """One by its id. Raises NotFoundError."""
        record = self._log.table(TOPIC).get(KEY + token_id)
        if record is None or record.value is None:
            raise NotFoundError(f"there is no feed token {token_id}")
        return decode(FeedToken, record.value)

    def revoke(self, token_id: str) -> None:
        """It opens nothing from now on."""
        self._log.append([NewRecord(topic=TOPIC, key=KEY + token_id, value=None)])

    def owner_of(self, token: str) -> str | None:
        """Whose ``token`` is; None where it is nobody's, or revoked."""
        hashed = _hashed(token)
        try:
            found = self.get(hashed[:ID_CHARS])
        except NotFoundError:
            return None
        return found.owner if hmac.compare_digest(found.hash, hashed) else None


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
