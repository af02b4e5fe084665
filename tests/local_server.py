"""A web application of a test's own, on 127.0.0.1 at a port that the system chooses."""

from __future__ import annotations

from typing import Self

from aiohttp import web


class LocalServer:
    """Serves ``routes`` within ``async with``."""

    port = 0
    _runner: web.AppRunner | None = None

    @property
    def host(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self.port}"

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
