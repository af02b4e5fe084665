"""Secrets by reference: kept in files of mode 0600, never in the log (promise P8)."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from ingest.errors import NotFoundError, StoreError
from search.subscriptions import REFERENCE

SIGNING_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""

SECRET_NAMES = re.compile(
    r"(?i)(?:^|[_-])(?:key|apikey|token|secret|sig|signature|auth|password|passwd|pwd|code|hash)$"
    r"|(?i:apikey|token|secret|password)"
)
"""Query parameters whose value lets whoever has it speak to the receiver."""


class Secrets:
    """The secret store of an embedded data folder: one file, replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "secrets.json"
        self._known: dict[str, str] = {}
        if self._file.exists():
            self._known = json.loads(self._file.read_text("utf-8"))

    def keep(self, value: str) -> str:
        """A reference to ``value``, which is durable when this returns."""
        name = secrets.token_hex(8)
        self._write({**self._known, name: value})
        return f"{{secret:{name}}}"

    def signing_secret(self, subscription_id: str, target: str) -> str:
        """The ``whsec_…`` secret of one subscription's endpoint, made at first use.

        Two endpoints never share one (row F44).
        """
        name = f"sign {subscription_id} {target}"
        if name not in self._known:
            made = base64.b64encode(secrets.token_bytes(SIGNING_BYTES)).decode()
            self._write({**self._known, name: f"whsec_{made}"})
        return self._known[name]

    def reveal(self, text: str) -> str:
        """``text`` with every reference replaced. Raises NotFoundError where one is unknown."""

        def value(match: re.Match[str]) -> str:
            if match[1] not in self._known:
                raise NotFoundError(
                    "a secret of this target is missing",
                    hint="Give the target again: wirewatch subscriptions edit NAME --to …",
                )
            return self._known[match[1]]

        return REFERENCE.sub(value, text)

    def hide(self, url: str) -> str:
        """``url`` with user, password and key-like parameters replaced by references."""
        parts = urlsplit(url)
        netloc = parts.netloc
        if "@" in netloc:
            login, _, host = netloc.rpartition("@")
            netloc = f"{self.keep(login)}@{host}"
        pairs = [
            (name, self.keep(quote(value, safe="")) if SECRET_NAMES.search(name) else quote(value))
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        secret = any(REFERENCE.fullmatch(value) for _, value in pairs)
        query = "&".join(f"{quote(n)}={v}" for n, v in pairs) if secret else parts.query
        return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))

    def _write(self, known: Mapping[str, str]) -> None:
        temporary = self._file.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(dict(known), stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self._file)
        self._known = dict(known)

