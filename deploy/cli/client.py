"""One way to the data: the API on the Unix socket of the process that owns the data folder.

While ``wirewatch run`` owns it, that is the one; where nobody runs, this process locks the folder
and serves the same API on the same socket for the length of the command.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.cli.context import Context
from deploy.folder import DataFolder
from ingest.errors import (
    NotFoundError,
    QueryError,
    UnavailableError,
    UsageError,
    WirewatchError,
)

LOCK_WAIT_SECONDS = 10.0
"""Another short command may hold the folder; it is done within seconds."""

LOOK_SECONDS = 0.05

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
    return asyncio.run(_call(context, method, path, params=params, body=body))


def lines(
    context: Context, method: str, path: str, *, params: Params | None = None, body: Any = None
) -> Iterator[Any]:
    """The JSON lines of a streamed answer, as they come."""
    with asyncio.Runner() as runner:
        stream = _lines(context, method, path, params=params, body=body)
        try:
            while True:
                try:
                    yield runner.run(_next(stream))
                except StopAsyncIteration:
                    return
        finally:
            runner.run(stream.aclose())


async def _next(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream)


async def _call(
    context: Context, method: str, path: str, *, params: Params | None, body: Any
) -> Any:
    async with _client(context) as client:
        answer = await client.request(method, path, params=_present(params), json=body)
        _raise_for(answer.status_code, answer.content)
        return answer.json() if answer.content else None


async def _lines(
    context: Context, method: str, path: str, *, params: Params | None, body: Any
) -> AsyncGenerator[Any, None]:
    async with (
        _client(context) as client,
        client.stream(method, path, params=_present(params), json=body) as answer,
    ):
        if answer.is_error:
            _raise_for(answer.status_code, await answer.aread())
        async for line in answer.aiter_lines():
            if line.strip():
                found = json.loads(line)
                if isinstance(found, dict) and "error" in found and "code" in found:
                    raise _error_from(found, 500)
                yield found


def _present(params: Params | None) -> dict[str, Any]:
    return {k: v for k, v in (params or {}).items() if v is not None}


@asynccontextmanager
async def _client(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    settings = context.settings()
    folder = context.folder(settings)
    if await _is_served(folder):
        async with _over(folder.socket_path()) as client:
            yield client
        return
    # Imported here: opening the stores costs half a second that the socket path does not need.
    from deploy.local import open_at_rest

    async with (
        open_at_rest(settings, folder, wait_seconds=LOCK_WAIT_SECONDS) as path,
        _over(path) as client,
    ):
        yield client


async def _is_served(folder: DataFolder) -> bool:
    """Whether somebody owns the folder and answers; waits for one that is just starting."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while (owner := folder.owner()) is not None:
        if await asyncio.to_thread(_answers, owner.socket):
            return True
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"process {owner.pid} owns the data folder and does not answer",
                hint="Try again; if it stays so, stop that process and start it anew.",
            )
        await asyncio.sleep(LOOK_SECONDS)
    return False


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _over(path: Path) -> httpx.AsyncClient:
    # No time-out: a reindex takes as long as it takes, and the far end is our own process.
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(path)),
        base_url="http://wirewatch",
        timeout=httpx.Timeout(None),
    )


def _raise_for(status: int, content: bytes) -> None:
    if status < httpx.codes.BAD_REQUEST:
        return
    try:
        found = json.loads(content)
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        found = {}
    raise _error_from(found, status)


def _error_from(found: Mapping[str, Any], status: int) -> WirewatchError:
    kinds: dict[int, type[WirewatchError]] = {404: NotFoundError, 400: UsageError, 422: UsageError}
    kind = kinds.get(status, WirewatchError)
    caret = found.get("caret")
    if caret is not None:
        kind = QueryError
    return kind(
        str(found.get("error") or found.get("detail") or f"the API answered {status}"),
        hint=str(found.get("hint", "")),
        code=str(found.get("code", "")),
        place=str(found.get("place", "")),
        caret=caret,
    )
