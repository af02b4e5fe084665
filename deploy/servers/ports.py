"""Ports on the loopback address: free ones, and a sentence for one that is taken."""

from __future__ import annotations

import random
import socket

from ingest.errors import UsageError

HOST = "127.0.0.1"

_FIRST, _LAST = 20_000, 32_000
"""Below the ports that Linux (32768) and macOS (49152) give to outgoing connections: a server
binds seconds after we looked, and none of these may be given away meanwhile."""

_TRIES = 100


def free_port() -> int:
    """A port that nobody listens on now."""
    for _ in range(_TRIES):
        port = random.randint(_FIRST, _LAST)  # noqa: S311 - no secret
        if is_free(port):
            return port
    raise UsageError("no free port", hint="Name ports with the options.", code="port-in-use")


def is_free(port: int) -> bool:
    """Whether somebody could listen on ``port`` now."""
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False


def need_port(port: int, option: str) -> None:
    """Nothing, where ``port`` is free. Raises UsageError that names ``option`` where not."""
    if not is_free(port):
        raise UsageError(
            f"port {port} is in use",
            sentence=f"Port {port} on {HOST} is in use.",
            hint=f"Name another with {option} (0 takes a free one), or stop what listens there.",
            code="port-in-use",
        )
