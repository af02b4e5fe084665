"""The API on a Unix socket for the CLI and on a port for programs, in the stages' event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from deploy.settings import ApiSettings
from ingest.errors import UsageError
from ingest.loopback import is_loopback
from search.form_tokens import FormTokens
from search.host_check import LOOPBACK_NAMES, HostCheck
from search.security_headers import SecurityHeaders

CLOSE_SECONDS = 2
TICK_SECONDS = 1.0


class _Server(uvicorn.Server):
    """A server whose signals are the shell's business, and which ends at once when told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    async def main_loop(self) -> None:
        """Tick once a second (uvicorn: ten times), which keeps the Date header right."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._told.wait()

    def end(self) -> None:
        """Finish what is being answered, then end."""
        self.should_exit = True
        self._told.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signal handlers as they are."""
        yield


def bind_port(settings: ApiSettings) -> socket.socket:
    """A listening socket for the port.

    Raises:
        UsageError: the port is in use, or the address is not a loopback one.
    """
    if not is_loopback(settings.host):
        raise UsageError(
            f"refused to listen on {settings.host}: there are no accounts yet",
            hint="Use 127.0.0.1, and a reverse proxy with a login in front of it.",
            code="not-loopback",
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((settings.host, settings.port))
    except OSError as error:
        found.close()
        raise UsageError(
            f"port {settings.port} on {settings.host} is in use",
            sentence=f"Port {settings.port} on {settings.host} is in use: {error.strerror}.",
            hint="Name another with --port (0 takes a free one), or switch it off: --no-web",
            code="port-in-use",
        ) from error
    return found


def bind_socket(path: Path) -> socket.socket:
    """The Unix socket of the owner of a data folder; a stale file of a killed one is replaced."""
    path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.bind(str(path))
    path.chmod(0o600)
    found.listen()  # from here on a request waits instead of being refused
    return found


def guarded(app: FastAPI) -> FastAPI:
    """``app`` for the port: our own names as Host, our own forms, headers for browsers."""
    app.add_middleware(FormTokens)
    app.add_middleware(HostCheck, hosts=LOOPBACK_NAMES)
    app.add_middleware(SecurityHeaders)  # the outermost is added last
    return app


@asynccontextmanager
async def serving(
    app: FastAPI, listener: socket.socket, *, end_streams: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """Answer on ``listener`` for the length of the block.

    ``end_streams`` ends the answers that would go on for ever.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=CLOSE_SECONDS,
        server_header=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        end_streams()
        server.end()
        await task
        listener.close()
