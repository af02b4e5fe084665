"""Where alerts may go, as people write it and as it is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from ingest.errors import BlockedAddressError, UsageError
from ingest.guard import Guard, check_url, is_public, parse_url
from ingest.loopback import is_loopback
from search.apprise_sending import check_apprise
from search.mail.unsubscribing import key_of_links
from search.secrets import Vault
from search.subscriptions import EXAMPLES, Kind, check_target, kind_of, redacted

LEFT_OUT = "***"
"""What is shown in place of a secret."""

MAX_TARGETS = 50
MAX_CHARS = 2_000

Named = Callable[[str], str]
"""Gives the stored form of a channel by its name. Raises NotFoundError."""


class Targets:
    """Checks targets and keeps their secrets apart.

    Args:
        folder: Below it ``file:`` targets may be asked for over the network.
        can: What this installation can send to beside webhooks, files, the terminal and apprise.
    """

    def __init__(
        self,
        *,
        secrets: Vault,
        guard: Guard,
        folder: Path | None,
        can: frozenset[Kind] = frozenset({"mail"}),
    ) -> None:
        self._secrets = secrets
        self._guard = guard
        self._folder = folder
        self._can = can

    def stored(
        self,
        to: Sequence[str],
        *,
        known: Sequence[str],
        from_network: bool,
        named: Named | None = None,
    ) -> tuple[str, ...]:
        """``to`` with references for secrets; what is written as a known one is shown stays it.

        Raises:
            UsageError: there is none, or one is refused.
            NotFoundError: there is no channel of a name.
        """
        if not to:
            raise UsageError("a subscription needs a target", hint="Add --to https://… or stdout:")
        if len(to) > MAX_TARGETS:
            raise UsageError(f"a subscription has at most {MAX_TARGETS} targets")
        left, found = list(known), []  # two targets may look the same without their secrets
        for one in to:
            same = next((other for other in left if one in (other, redacted(other))), None)
            if same is not None:
                left.remove(same)
                found.append(same)
            elif named is not None and ":" not in one and kind_of(one) == "channel":
                found.append(named(one))
            else:
                found.append(self._address(one, from_network=from_network))
        return tuple(dict.fromkeys(found))

    def _address(self, target: str, *, from_network: bool) -> str:
        if LEFT_OUT in target:
            raise UsageError(
                f"the secret part of {target} is left out",
                hint=f"Write the whole address: {LEFT_OUT} stands only for what is known here.",
                code="secret-left-out",
            )
        if len(target) > MAX_CHARS:
            raise UsageError(f"a target has at most {MAX_CHARS} characters", code="bad-target")
        check_target(target, from_network=from_network, folder=self._folder)
        match kind_of(target):
            case "webhook":
                return self._webhook(target)
            case "apprise":
                return self._service(target)
            case "mail" if "mail" not in self._can:
                raise UsageError(
                    "no e-mail can be sent: no mail server is set",
                    hint="Set server and from_address below [mail] first.",
                    code="mail",
                )
            case "mail":
                key_of_links(self._secrets)  # no message may go out without its link
            case "kafka" if "kafka" not in self._can:
                raise UsageError(
                    "kafka: targets need a log in Kafka; this Wirewatch keeps its log in a file",
                    hint="See docs/many-machines.md.",
                    code="no-kafka",
                )
            case "channel":
                raise UsageError(f"{target} is no address", hint=EXAMPLES, code="bad-target")
        return target

    def _webhook(self, target: str) -> str:
        url = check_url(target)
        if url.startswith("http:") and not self._guard.allows(url):
            raise UsageError(
                f"the way to {urlsplit(url).hostname} is not encrypted",
                hint="Use https, or allow a receiver of your own, below [net]: "
                'allow = ["host:port"]',
                code="plain-http",
            )
        try:
            self._guard.check(parse_url(url))
        except BlockedAddressError as error:
            raise UsageError(error.sentence, hint=error.hint, code="private-address") from error
        return self._secrets.hide(url)

    def _service(self, target: str) -> str:
        """A URL of apprise: all of it but its scheme is one secret, wherever its tokens stand."""
        self._check_host(target)
        check_apprise(target)
        scheme, _, rest = target.partition("://")
        return f"{scheme.lower()}://{self._secrets.keep(rest)}"

    def _check_host(self, target: str) -> None:
        """Refuse a private address that is written out; names are judged when connected to."""
        try:
            parsed = urlsplit(target)
            host, port = parsed.hostname or "", parsed.port
        except ValueError:
            return  # apprise says what it thinks of it
        if not _is_private(host):
            return
        name, ports = f"[{host}]" if ":" in host else host, (port,) if port else (80, 443)
        if not any(self._guard.allows(f"https://{name}:{one}/") for one in ports):
            raise UsageError(
                f"Blocked: private address ({host}).",
                hint=f"If this is your own server, allow it by name, below [net]: "
                f'allow = ["{name}:PORT"]',
                code="private-address",
            )


def _is_private(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return is_loopback(host)
    return not is_public(host)
