"""One way to the data: the API on the Unix socket of the process that owns the data folder.

While ``wirewatch run`` owns it, that is the one; where nobody runs, this process locks the folder
and serves the same API to itself, on a socket of its own, for the length of the command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from deploy.cli.context import Context
from deploy.starting import starting
from ingest.errors import (
    GoneError,
    NotFoundError,
    QueryError,
    UnavailableError,
    UsageError,
    WirewatchError,
)

if TYPE_CHECKING:
    from deploy.settings import Settings

LOCK_WAIT_SECONDS = 10.0
"""Another short command may hold the folder; it is done within seconds."""

BAD_REQUEST = 400

Params = Mapping[str, Any]


def call(
    context: Context,
    method: str,
    path: str,
    *,
    params: Params | None = None,
    body: Any = None,
) -> Any:
    """The JSON answer of one API call. Raises the WirewatchError that the API describes."""
    with _socket(context) as socket, _answer(socket, method, _target(path, params), body) as answer:
        content = answer.read()
        _raise_for(answer.status, content)
        return json.loads(content) if content else None


def lines(
    context: Context, method: str, path: str, *, params: Params | None = None, body: Any = None
) -> Iterator[Any]:
    """The JSON lines of a streamed answer, as they come."""
    with _socket(context) as socket, _answer(socket, method, _target(path, params), body) as answer:
        if answer.status >= BAD_REQUEST:
            _raise_for(answer.status, answer.read())
        for line in answer:
            if line.strip():
                found = json.loads(line)
                if isinstance(found, dict) and "error" in found and "code" in found:
                    raise _error_from(found, 500)
                yield found


def is_running(context: Context) -> bool:
    """Whether a process owns the data folder and answers."""
    folder = context.folder(context.settings())
    return folder.answering_owner(LOCK_WAIT_SECONDS) is not None


def segment(name: str) -> str:
    """``name`` as one segment of a path: names of subscriptions are free text."""
    return quote(name, safe="")


@contextmanager
def _socket(context: Context) -> Iterator[Path]:
    """A socket on which the API of the context's data folder answers."""
    settings = context.settings()
    owner = None
    if settings.log.backend == "sqlite":
        owner = context.folder(settings).answering_owner(LOCK_WAIT_SECONDS)
    if owner is not None:
        yield owner.socket
        return
    with _at_rest(settings, context) as path:
        yield path


@contextmanager
def _at_rest(settings: Settings, context: Context) -> Iterator[Path]:
    with ExitStack() as stack:
        with starting():
            # Imported here: opening the stores costs what the way over a socket does not need.
            from anyio.from_thread import start_blocking_portal

            from deploy.events import warnings_on_stderr
            from deploy.local import open_at_rest

            folder = context.folder(settings)
            stack.enter_context(warnings_on_stderr())
            opened = open_at_rest(settings, folder, wait_seconds=LOCK_WAIT_SECONDS)
            portal = stack.enter_context(start_blocking_portal())
            path = stack.enter_context(portal.wrap_async_context_manager(opened))
        yield path


@contextmanager
def _answer(path: Path, method: str, target: str, body: Any) -> Iterator[HTTPResponse]:
    # No time-out: a reindex takes as long as it takes, and the far end is our own process.
    connection = _Connection(path)
    try:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        connection.request(method, target, body=data, headers=headers)
        with connection.getresponse() as answer:
            yield answer
    except (HTTPException, ConnectionError) as error:
        raise UnavailableError(
            f"the process that owns the data folder went away: {error!r}",
            sentence="The process that owns the data folder ended in the middle of the answer.",
            hint="Give the command again.",
        ) from error
    finally:
        connection.close()


class _Connection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("wirewatch")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        import socket

        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


def _target(path: str, params: Params | None) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (params or {}).items()
        if value is not None
    }
    return f"{path}?{urlencode(given)}" if given else path


def _raise_for(status: int, content: bytes) -> None:
    if status < BAD_REQUEST:
        return
    try:
        found = json.loads(content)
    except ValueError:
        found = {}
    raise _error_from(found if isinstance(found, dict) else {}, status)


def _error_from(found: Mapping[str, Any], status: int) -> WirewatchError:
    kinds: dict[int, type[WirewatchError]] = {
        400: UsageError,
        404: NotFoundError,
        410: GoneError,
        422: UsageError,
    }
    kind = kinds.get(status, WirewatchError)
    caret = found.get("caret")
    if caret is not None:
        kind = QueryError
    return kind(
        str(found.get("error") or found.get("detail") or f"the API answered {status}"),
        hint=str(found.get("hint", "" if found else "See what wirewatch run says.")),
        code=str(found.get("code", "")),
        place=str(found.get("place", "")),
        caret=caret,
    )
