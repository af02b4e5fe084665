"""One way to the data: the API of the running process, or the same API in this one.

While ``wirewatch run`` owns the data folder its API listens on a Unix socket; where nobody runs,
the folder is locked for the length of the command and the API is mounted here (ASGI).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from deploy.cli.context import Context
from ingest.errors import NotFoundError, QueryError, UsageError, WirewatchError

LOCK_WAIT_SECONDS = 10.0
"""Another short command may hold the folder; it is done within seconds."""

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
                    yield runner.run(anext(stream))
                except StopAsyncIteration:
                    return
        finally:
            runner.run(stream.aclose())


async def _call(
    context: Context, method: str, path: str, *, params: Params | None, body: Any
) -> Any:
    async with _client(context) as client:
        answer = await client.request(method, path, params=_present(params), json=body)
        _raise_for(answer.status_code, answer.content)
        return answer.json() if answer.content else None


async def _lines(
    context: Context, method: str, path: str, *, params: Params | None, body: Any
) -> AsyncIterator[Any]:
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
    owner = folder.owner()
    if owner is not None and owner.socket:
        transport = httpx.AsyncHTTPTransport(uds=str(owner.socket))
        async with _over(transport) as client:
            yield client
        return
    # Imported here: opening the stores costs half a second that the socket path does not need.
    from deploy.local import open_at_rest

    async with (
        open_at_rest(settings, folder, wait_seconds=LOCK_WAIT_SECONDS) as app,
        _over(httpx.ASGITransport(app=app)) as client,
    ):
        yield client


def _over(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    # No time-out: a reindex takes as long as it takes, and the far end is our own process.
    timeout = httpx.Timeout(None)
    return httpx.AsyncClient(transport=transport, base_url="http://wirewatch", timeout=timeout)


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
