"""A target of the sandbox that tries apprise's guard with a resolver that lies."""

from __future__ import annotations

import socket
from typing import Any

PUBLIC = "93.184.215.14"

_asked: dict[str, int] = {}


def _lying(host: Any, port: Any, *_more: Any, **_options: Any) -> list[Any]:
    """``mixed`` is public and private at once, ``rebinding`` public once and private after."""
    name = str(host)
    _asked[name] = _asked.get(name, 0) + 1
    if name == "mixed.example":
        addresses = [PUBLIC, "127.0.0.1"]
    elif name == "rebinding.example":
        addresses = [PUBLIC] if _asked[name] == 1 else ["127.0.0.1"]
    else:
        addresses = [name]
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, int(port))) for one in addresses]


socket.getaddrinfo = _lying  # before the guard puts its own around it

from search import apprise_child  # noqa: E402 - importing it guards this process


def answer(call: dict[str, Any], _body: bytes) -> dict[str, Any]:
    """What became of each way to ``port`` of this machine."""
    port = call["port"]
    socket.getaddrinfo("rebinding.example", port)  # the look that a check would take
    found = {}
    for way in ("mixed", "rebinding"):
        try:
            socket.create_connection((f"{way}.example", port), 2).close()
            found[way] = "connected"
        except apprise_child.BlockedSocketError:
            found[way] = "blocked"
    try:
        with socket.socket() as plain:
            plain.connect(("127.0.0.1", port))  # a plugin that resolves by itself
        found["direct"] = "connected"
    except apprise_child.BlockedSocketError:
        found["direct"] = "blocked"
    return found
