"""One-click unsubscribe (RFC 8058): a link for each subscription and recipient, and no other."""

from __future__ import annotations

import base64
import hashlib
import hmac

from search.secrets import Vault

MAC_CHARS = 32


class Links:
    """Makes and reads the links; ``base`` is this Wirewatch's address as recipients reach it."""

    def __init__(self, vault: Vault, *, base: str) -> None:
        self._vault = vault
        self._base = base.rstrip("/")

    def link(self, subscription_id: str, target: str) -> str:
        """The address that takes ``target`` off the subscription."""
        return f"{self._base}/unsubscribe/{self.token(subscription_id, target)}"

    def token(self, subscription_id: str, target: str) -> str:
        """What proves that a mail to ``target`` was received."""
        meant = f"{subscription_id}\n{target}"
        mac = hmac.digest(key_of_links(self._vault).encode(), meant.encode(), hashlib.sha256)
        return f"{subscription_id}.{base64.urlsafe_b64encode(mac).decode()[:MAC_CHARS]}"

    def is_of(self, token: str, subscription_id: str, target: str) -> bool:
        """Whether ``token`` takes ``target`` off this subscription."""
        return hmac.compare_digest(token.encode(), self.token(subscription_id, target).encode())


def key_of_links(vault: Vault) -> str:
    """The key of every link, made where there is none. Raises UsageError where none can be kept."""
    return vault.make_signing_secret("unsubscribe", "links")
