"""The API on a Unix socket for the CLI and on a port for programs, in the stages' event loop."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from deploy.shell import Shell
from ingest.errors import FileError, UsageError
from search.account_store import AccountStore
from search.api import create_api
from search.api_settings import ApiSettings
from search.body_limit import BodyLimit
from search.form_tokens import FormTokens
from search.host_check import HostCheck
from search.login import Login
from search.security_headers import SecurityHeaders

OPEN_FILES = 10_000
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


def bind_port(settings: ApiSettings, *, accounts: AccountStore) -> socket.socket:
    """A listening socket for the port.

    Raises:
        UsageError: the port is in use; others could reach it, and nobody could log in.
        FileError: certificate and key cannot be used.
    """
    if settings.needs_login and not accounts.exist():
        raise UsageError(
            f"refused to listen on {settings.host}: there is no account yet",
            sentence=f"Others could reach this Wirewatch (on {settings.host}), and there is no "
            "account yet.",
            hint="Make one: wirewatch accounts add NAME --scope admin; or listen on 127.0.0.1.",
            code="no-account",
        )
    _check_certificate(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio spares answers the wait of Nagle (40 ms) only where the protocol is named.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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


def guarded(app: FastAPI, *, accounts: AccountStore, settings: ApiSettings) -> FastAPI:
    """``app`` for the port: who may ask what, under which name, and headers for browsers."""
    is_https, max_bytes = settings.is_https, settings.body_bytes
    app.add_middleware(BodyLimit, max_bytes=max_bytes)
    app.add_middleware(FormTokens, is_https=is_https, max_bytes=max_bytes)
    app.add_middleware(Login, accounts=accounts, settings=settings)
    app.add_middleware(HostCheck, hosts=settings.names)
    app.add_middleware(SecurityHeaders)  # the outermost is added last
    return app


def _check_certificate(settings: ApiSettings) -> None:
    if not settings.tls_certificate and not settings.tls_key:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except OSError as error:
        raise FileError(
            f"{settings.tls_certificate}: {error}",
            sentence=f"Certificate and key for https cannot be used: {error.strerror}.",
            hint="Name both in PEM: [api] tls_certificate and tls_key.",
            place=settings.tls_certificate,
        ) from error


def _allow_connections() -> None:
    """Let this process open as many as it may: a stream is one each, and 1,024 is the usual."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < min(hard, OPEN_FILES):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, OPEN_FILES), hard))


@asynccontextmanager
async def serving_port(shell: Shell, listener: socket.socket) -> AsyncIterator[int]:
    """Answer others on ``listener`` for the length of the block; the number of the port."""
    settings = shell.settings.api
    _allow_connections()
    app = create_api(shell.services(), from_network=True)
    app = guarded(app, accounts=shell.accounts, settings=settings)
    async with serving(app, listener, end_streams=shell.live.close, settings=settings):
        yield int(listener.getsockname()[1])


@asynccontextmanager
async def serving(
    app: FastAPI,
    listener: socket.socket,
    *,
    end_streams: Callable[[], None] = lambda: None,
    settings: ApiSettings | None = None,
) -> AsyncIterator[None]:
    """Answer on ``listener`` for the length of the block; https where ``settings`` say so.

    ``end_streams`` ends the answers that would go on for ever.
    """
    certificate = settings.tls_certificate if settings else ""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=CLOSE_SECONDS,
        server_header=False,
        proxy_headers=False,  # nothing that a request says of itself is believed
        ssl_certfile=certificate or None,
        ssl_keyfile=(settings.tls_key if settings else "") or None,
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
