"""Where alerts may go, as people write it and as it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ingest.errors import UsageError
from ingest.guard import Guard, check_url
from search.secrets import Vault
from search.subscriptions import check_target, kind_of, redacted

LEFT_OUT = "***"
"""What is shown in place of a secret."""


class Targets:
    """Checks targets and keeps their secrets apart.

    Args:
        folder: Below it ``file:`` targets may be asked for over the network.
    """

    def __init__(self, *, secrets: Vault, guard: Guard, folder: Path | None) -> None:
        self._secrets = secrets
        self._guard = guard
        self._folder = folder

    def stored(
        self, to: Sequence[str], *, known: Sequence[str], from_network: bool
    ) -> tuple[str, ...]:
        """``to`` with references for secrets; what is written as a known one is shown stays it.

        Raises:
            UsageError: there is none, or one is refused.
        """
        if not to:
            raise UsageError("a subscription needs a target", hint="Add --to https://… or stdout:")
        shown = {redacted(one): one for one in known}
        return tuple(
            dict.fromkeys(
                shown[one] if one in shown else self._target(one, from_network=from_network)
                for one in to
            )
        )

    def _target(self, target: str, *, from_network: bool) -> str:
        check_target(target, from_network=from_network, folder=self._folder)
        if LEFT_OUT in target:
            raise UsageError(
                f"the secret part of {target} is left out",
                hint=f"Write the whole address: {LEFT_OUT} stands only for what is known here.",
                code="secret-left-out",
            )
        if kind_of(target) != "webhook":
            return target
        url = check_url(target)
        if url.startswith("http:") and not self._guard.allows(url):
            raise UsageError(
                f"the way to {urlsplit(url).hostname} is not encrypted",
                hint="Use https, or allow a receiver of your own, below [net]: "
                'allow = ["host:port"]',
                code="plain-http",
            )
        return self._secrets.hide(url)
