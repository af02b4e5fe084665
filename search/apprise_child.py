"""The inside of the process that speaks to chat and push services through apprise.

Called by ``ingest.sandbox_child``. Every connection of whatever plugin passes two gates: names are
looked up through the address guard, and an audit hook (PEP 578) refuses any socket whose very
address was not approved, so that a rebinding name, a redirect or a plugin's own resolver gain
nothing. No file outside the libraries can be read, and no file can be written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import sys
import sysconfig
from typing import Any

import apprise
from apprise.manager_plugins import NotificationManager

from ingest.errors import DeliveryError, UsageError
from ingest.guard import Guard, blocked, is_public
from ingest.settings import NetSettings
from search.subscriptions import unknown_target

MAX_REASON_CHARS = 200

_look_up = socket.getaddrinfo
_allowed: set[tuple[str, int]] = set()
"""Addresses and ports of names that are allowed by name, for the call under way."""

_blocked: list[str] = []
"""What was refused during the call under way."""

_guard = Guard()
_READABLE = tuple(
    f"{os.path.realpath(path)}{os.sep}"
    for path in {
        *sysconfig.get_paths().values(),
        sys.base_prefix,
        *filter(os.path.isdir, sys.path),
        *filter(None, (ssl.get_default_verify_paths().capath, "/etc/ssl")),
    }
)
_READABLE_FILES = ("/dev/null", "/etc/hosts", "/etc/resolv.conf", "/etc/mime.types")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")


def answer(call: dict[str, Any], _body: bytes) -> dict[str, Any]:
    """What came of ``call``: a URL is read, and where there is a message it is sent.

    Raises:
        UsageError: nothing can be sent to such a URL.
        BlockedAddressError: it leads to an address that is not public.
        DeliveryError: the receiver did not take the message.
    """
    global _guard  # noqa: PLW0603 - a process serves one call at a time
    _guard = Guard(NetSettings(allow=tuple(call["allow"])))
    _allowed.clear()
    _blocked.clear()
    url = str(call["url"])
    service = _read(url)
    if "body" not in call:
        return {}
    said = _Said()
    _logger.addHandler(said)
    try:
        taken = service.notify(body=str(call["body"]), title=str(call["title"]), body_format="text")
    except Exception:
        if not _blocked:  # else said below: what the plugin made of it does not matter
            raise
        taken = False
    finally:
        _logger.removeHandler(said)
    if not taken:
        if _blocked:
            raise blocked(_blocked[0], _blocked[0])
        raise DeliveryError(f"It was not taken. {without_secrets(said.last, url)}".strip())
    return {}


def _read(url: str) -> apprise.NotifyBase:
    scheme = url.partition("://")[0].lower()
    asset = apprise.AppriseAsset(
        app_id="Wirewatch",
        app_desc="Wirewatch",
        app_url="",
        image_url_mask="",
        http_redirects=False,
        async_mode=False,
        storage_mode="memory",
    )
    if scheme not in _plugins:
        raise unknown_target(scheme)
    found = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if found is None:
        raise UsageError(
            f"The {scheme}:// address cannot be read; a part of it is missing or malformed.",
            hint=f"Its form is in Apprise's list of services, under {scheme}.",
            code="bad-target",
        )
    return found


class _Said(logging.Handler):
    """Keeps the last warning of apprise: the reason why a message was not taken."""

    last = ""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def without_secrets(text: str, url: str) -> str:
    """``text`` with every part of ``url`` but its scheme as ``***`` (promise P8)."""
    rest = url.partition("://")[2]
    for mark in "/?&=@:#,":
        rest = rest.replace(mark, " ")
    for part in sorted(set(rest.split()), key=len, reverse=True):
        if len(part) > 3:  # noqa: PLR2004 - shorter ones would blot out words
            text = text.replace(part, "***")
    return " ".join(text.split())[:MAX_REASON_CHARS]


def _guarded_look_up(host: Any, port: Any, *more: Any, **options: Any) -> Any:
    """``socket.getaddrinfo``, which refuses a name with an address that is not public."""
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    with contextlib.suppress(TypeError, ValueError):
        port = int(port)
    found = _look_up(host, port, *more, **options)
    is_free = isinstance(port, int) and _is_allowed(name, port)
    for *_, address in found:
        if is_free:
            _allowed.add((str(address[0]), int(address[1])))
        elif not is_public(str(address[0])):
            _blocked.append(name)
            raise BlockedSocketError(name)
    return found


def _is_allowed(host: str, port: int) -> bool:
    try:
        return _guard.allows(f"https://{f'[{host}]' if ':' in host else host}:{port}/")
    except ValueError:
        return False


class BlockedSocketError(OSError):
    """The address guard refused a connection; an OSError, so that plugins take it as a failure."""


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event in _SENDING:
        address = args[1]
        if event == "socket.bind" and address[:2] in (("", 0), ("0.0.0.0", 0)):  # noqa: S104 - any
            return
        if not isinstance(address, tuple) or not _may_reach(str(address[0]), address[1]):
            _blocked.append(str(address[0] if isinstance(address, tuple) else address))
            raise BlockedSocketError(f"refused: {address}")
    elif event == "open" and isinstance(args[0], str | bytes):
        path = os.path.realpath(os.fsdecode(args[0]))
        if not path.startswith(_READABLE) and path not in _READABLE_FILES:
            raise PermissionError(f"refused in the sandbox: reading {path}")


def _may_reach(host: str, port: int) -> bool:
    return is_public(host) or (host, port) in _allowed


_logger = logging.getLogger("apprise")
_logger.propagate = False
_plugins: Any = NotificationManager()  # type: ignore[no-untyped-call] # it has no types
_plugins.load_modules()  # all, before files are watched
socket.getaddrinfo = _guarded_look_up
sys.addaudithook(_watch)
