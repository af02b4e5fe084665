"""Only names of ours as Host: a rebound name of another site reads nothing (row F51)."""

from __future__ import annotations

import re
from collections.abc import Collection

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from search.problems import refusal

PROBES = frozenset({"/healthz", "/readyz"})
"""Asked by what looks after containers, by the container's own address; they show nothing."""

HOST = re.compile(r"(?:\[([^\]]+)\]|([^:/?#\[\]@]+))(?::[0-9]{0,5})?")
"""With nothing behind the port: addresses are made of it."""


class HostCheck:
    """Refuses requests whose Host is not one of ``hosts``, whatever the port."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what was meant for us."""
        if scope["type"] == "http" and scope["path"] not in PROBES:
            request = Request(scope)
            if len(request.headers.getlist("host")) != 1 or self._name(request) not in self._hosts:
                await refusal(
                    request,
                    400,
                    "This address is not one of this Wirewatch.",
                    code="host",
                    hint="Add its name to [api] hosts, if it is.",
                )(scope, receive, send)
                return
        await self._app(scope, receive, send)

    @staticmethod
    def _name(request: Request) -> str:
        """The Host without its port, an IPv6 address without its brackets."""
        found = HOST.fullmatch(request.headers["host"].lower())
        return (found[1] or found[2].rstrip(".")) if found else ""
