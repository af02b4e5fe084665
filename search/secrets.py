"""Secrets by reference: kept in a file of mode 0600, never in the log (promise P8)."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ingest.errors import NotFoundError, StoreError
from search.secret_parts import hide
from search.subscriptions import REFERENCE

SIGNING_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


class Vault(Protocol):
    """What keeps the secrets of targets and feeds: a file, or ciphertext in the log."""

    def keep(self, value: str) -> str:
        """A reference to ``value``; the same for the same."""

    def make_signing_secret(self, subscription_id: str, target: str) -> str:
        """The ``whsec_…`` secret of one subscription's endpoint, made where there is none."""

    def signing_secret(self, subscription_id: str, target: str) -> str:
        """The secret that was made for this endpoint. Raises NotFoundError where it was lost."""

    def forget(self, subscription_id: str) -> None:
        """Drop the signing secrets of a subscription."""

    def reveal(self, target: str) -> str:
        """``target`` with every reference replaced. Raises NotFoundError where one is unknown."""

    def hide(self, url: str) -> str:
        """``url`` with references for its secret parts."""


class Secrets:
    """The secret store of an embedded data folder: one file, replaced as a whole.

    Safe to use from any thread; only the process that owns the data folder writes.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "secrets.json"
        self._writing = threading.Lock()
        self._known: dict[str, str] = _read(self._file)

    def keep(self, value: str) -> str:
        """A reference to ``value``, which is durable when this returns; the same for the same."""
        with self._writing:
            for name, known in self._known.items():
                if known == value and not name.startswith("sign "):
                    return f"{{secret:{name}}}"
            name = secrets.token_hex(8)
            self._write({**self._known, name: value})
        return f"{{secret:{name}}}"

    def make_signing_secret(self, subscription_id: str, target: str) -> str:
        """The ``whsec_…`` secret of one subscription's endpoint, made where there is none.

        Two endpoints never share one (row F44).
        """
        name = f"sign {subscription_id} {target}"
        with self._writing:
            if name not in self._known:
                made = base64.b64encode(secrets.token_bytes(SIGNING_BYTES)).decode()
                self._write({**self._known, name: f"whsec_{made}"})
            return self._known[name]

    def signing_secret(self, subscription_id: str, target: str) -> str:
        """The secret that was made for this endpoint.

        Raises:
            NotFoundError: it was lost; a new one made in silence would fail every verification.
        """
        found = self._known.get(f"sign {subscription_id} {target}")
        if found is None:
            raise _missing("The signing secret of this webhook is missing.")
        return found

    def forget(self, subscription_id: str) -> None:
        """Drop the signing secrets of a subscription."""
        start = f"sign {subscription_id} "
        with self._writing:
            left = {name: one for name, one in self._known.items() if not name.startswith(start)}
            if len(left) < len(self._known):
                self._write(left)

    def reveal(self, target: str) -> str:
        """``target`` with every reference replaced. Raises NotFoundError where one is unknown."""

        def value(match: re.Match[str]) -> str:
            if match[1] not in self._known:
                raise _missing("A secret of this target is missing.")
            return self._known[match[1]]

        return REFERENCE.sub(value, target)

    def hide(self, url: str) -> str:
        """``url`` with references for its secret parts."""
        return hide(url, self.keep)

    def _write(self, known: Mapping[str, str]) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, 0o600)
            json.dump(dict(known), stream)
            stream.flush()
            os.fsync(descriptor)
        temporary.replace(self._file)
        self._known = dict(known)


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{file}: {error}",
            sentence=f"The file of secrets {file} cannot be read.",
            hint="Restore it from a backup; without it no webhook can be signed.",
        ) from error


def _missing(sentence: str) -> NotFoundError:
    return NotFoundError(
        sentence, hint="Give the target again: wirewatch subscriptions edit NAME --to …"
    )
