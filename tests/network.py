"""Stand-ins at the edge of our own code: a name server and a socket maker a test controls."""

from __future__ import annotations

import socket

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult


class Names(AbstractResolver):
    """A resolver that gives each name its next answer; the last one stays.

    Underscores in ``answers`` stand for the dots of names; other names raise ``fails``.
    """

    def __init__(self, *, fails: OSError | None = None, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): rounds for name, rounds in answers.items()}
        self._fails = fails or socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        rounds = self._answers.get(host)
        if not rounds:
            raise self._fails
        addresses = rounds.pop(0) if len(rounds) > 1 else rounds[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


class NoSockets:
    """Counts the sockets that would be opened and opens none."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def __call__(self, info: AddrInfoType) -> socket.socket:
        self.addresses.append(str(info[4][0]))
        raise ConnectionRefusedError(111, "no packet leaves a test")
