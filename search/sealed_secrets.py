"""Secrets that travel through a shared log as ciphertext: nothing but the key is stored.

AES-GCM (NIST SP 800-38D). The nonce is a keyed hash of the secret, so that the same secret gives
the same reference and no two secrets share a nonce.
"""

from __future__ import annotations

import base64
import hmac
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.errors import FileError, NotFoundError, UsageError
from search.secret_parts import hide
from search.subscriptions import REFERENCE

KEY_BYTES = 32
NONCE_BYTES = 12
MAKE_A_KEY = "Make one: head -c 32 /dev/urandom | base64 > FILE; the same on every machine."


class SealedSecrets:
    """The secrets of the distributed shell, sealed with the key in the file ``key_file``.

    Without a key nothing that holds a secret can be added; the rest works.

    Raises:
        FileError: the file cannot be read, or holds no key.
    """

    def __init__(self, key_file: str) -> None:
        self._key = _key(Path(key_file)) if key_file else b""

    def keep(self, value: str) -> str:
        """A reference to ``value``: its ciphertext. Raises UsageError without a key."""
        nonce = self._derived(b"nonce", value)[:NONCE_BYTES]
        sealed = self._cipher().encrypt(nonce, value.encode(), None)
        return f"{{secret:{base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')}}}"

    def make_signing_secret(self, subscription_id: str, target: str) -> str:
        """The ``whsec_…`` secret of one subscription's endpoint; no two share one (row F44)."""
        made = self._derived(b"sign", f"{subscription_id} {target}")
        return f"whsec_{base64.b64encode(made).decode()}"

    def signing_secret(self, subscription_id: str, target: str) -> str:
        """The same: it is derived from the key each time."""
        return self.make_signing_secret(subscription_id, target)

    def forget(self, subscription_id: str) -> None:
        """Nothing: no secret of ``subscription_id`` is stored."""

    def reveal(self, target: str) -> str:
        """``target`` with every reference replaced. Raises NotFoundError where the key differs."""
        return REFERENCE.sub(self._opened, target)

    def hide(self, url: str) -> str:
        """``url`` with references for its secret parts."""
        return hide(url, self.keep)

    def _opened(self, match: re.Match[str]) -> str:
        sealed = base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
        try:
            return self._cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise NotFoundError(
                "a secret of this target was sealed with another key",
                hint="Use the key it was sealed with, or give the target again: "
                "wirewatch subscriptions edit NAME --to …",
            ) from error

    def _derived(self, purpose: bytes, text: str) -> bytes:
        return hmac.digest(self._needed(), purpose + b"\0" + text.encode(), "sha256")

    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived(b"seal", ""))

    def _needed(self) -> bytes:
        if not self._key:
            raise UsageError(
                "no key to seal secrets with",
                sentence="This needs a secret to be stored, and there is no key to seal it with.",
                hint=f"Name a key file in [data] secret_key_file. {MAKE_A_KEY}",
                code="no-key",
            )
        return self._key


def _key(file: Path) -> bytes:
    try:
        key = base64.b64decode(file.read_text("ascii").strip(), validate=True)
    except (OSError, ValueError) as error:
        raise FileError(
            f"{file}: {error}",
            sentence=f"The key file {file} cannot be read.",
            hint=MAKE_A_KEY,
            place=str(file),
        ) from error
    if len(key) != KEY_BYTES:
        raise FileError(
            f"{file} holds {len(key)} bytes",
            sentence=f"The key file {file} holds no key of {KEY_BYTES} bytes.",
            hint=MAKE_A_KEY,
            place=str(file),
        )
    return key
