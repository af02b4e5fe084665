"""A webhook receiver on the loopback interface that a test scripts; it verifies signatures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from tests.local_server import LocalServer

Answer = Callable[[web.Request], web.StreamResponse | int]


@dataclass(slots=True)
class Received:
    """One request."""

    at: float
    headers: dict[str, str]
    body: bytes
    path: str = "/"

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["data"]
        return found


@dataclass
class Receiver(LocalServer):
    """Answers 200 to everything, or the next of ``answers`` (a status, or seconds as float).

    ``headers`` go with every answer that is not 2xx; ``body`` with all.
    """

    answers: list[int | float] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    endless: bool = False
    got: list[Received] = field(default_factory=list)
    sent_bytes: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._handle)]

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def verify(self, secret: str, which: int = -1) -> Any:
        """The body of a request, if its signature is by ``secret``; raises otherwise."""
        one = self.got[which]
        return Webhook(secret).verify(one.body, one.headers)

    async def wait_for(self, count: int, seconds: float = 20.0) -> None:
        """Return when ``count`` requests have come."""
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                self._news.clear()
                await self._news.wait()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            body = await request.read()
            headers = {name.lower(): value for name, value in request.headers.items()}
            path = request.path_qs
            self.got.append(Received(at=time.monotonic(), headers=headers, body=body, path=path))
            self._news.set()
            return await self._answer(request)
        finally:
            self._at_once -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        status = self.answers.pop(0) if self.answers else 200
        if isinstance(status, float):
            await asyncio.sleep(status)
            status = 200
        if not self.endless:
            return web.Response(status=status, headers=self.headers if status >= 300 else None)
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        chunk = b"x" * 4096
        try:
            while True:
                await response.write(chunk)
                self.sent_bytes += len(chunk)
        except (ConnectionError, asyncio.CancelledError):
            return response
