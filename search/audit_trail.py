"""Writes down every change that is asked of the API or a page, whoever made the route."""

from __future__ import annotations

import json
import re

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.errors import StoreError
from ingest.log import Log
from search.audit import account_record
from search.caller import LOCAL, Caller
from search.form_tokens import ONE_CLICK, SAFE_METHODS

NO_CHANGE = re.compile(
    r"POST (/api/subscriptions/preview|/local/feeds/check|/login|/logout|/articles/[^/]+/mark)"
    r"|PUT /api/articles/[^/]+/mark"
)
"""They change nothing, or write their own line; what somebody reads is nobody else's business.

Whole addresses: a subscription may be called ``x/check``, and its changes are changes.
"""

FAILED = 400
IDS = ("id", "feed_id", "name")

logger = structlog.get_logger(__name__)


class AuditTrail:
    """Appends a line to the audit before it answers a request that changed something."""

    def __init__(self, app: ASGIApp, *, log: Log) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http" or not _is_change(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] < FAILED:
                start = message  # held back until the first of the body, which may name the id
                return
            if start is not None:
                held, start = start, None
                await self._write(scope, held, message.get("body", b""))
                await send(held)
            await send(message)

        await self._app(scope, receive, sending)

    async def _write(self, scope: Scope, start: Message, body: bytes) -> None:
        caller: Caller = getattr(Request(scope).state, "caller", LOCAL)
        path = ONE_CLICK if scope["path"].startswith(ONE_CLICK) else scope["path"]
        record = account_record(
            f"{scope['method']} {path}",
            by=caller.account,
            owner=caller.owner,
            subject=_subject(scope, start, body),
            status=start["status"],
        )
        try:
            await run_in_threadpool(self._log.append, [record])
        except StoreError as error:
            logger.warning("audit not written", change=record.key, reason=error.sentence)


def _is_change(method: str, path: str) -> bool:
    return method not in SAFE_METHODS and NO_CHANGE.fullmatch(f"{method} {path}") is None


def _subject(scope: Scope, start: Message, body: bytes) -> str:
    """The id of what was changed: in the address, in the answer, or where that leads."""
    if scope["path"].startswith(ONE_CLICK):
        return ""  # the address is a secret
    if named := scope.get("path_params"):
        return ", ".join(str(value) for value in named.values())
    headers = dict(start["headers"])
    if location := headers.get(b"location", b"").decode("latin-1"):
        return str(location).partition("?")[0].rpartition("/")[2]
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    ids = (found[name] for name in IDS if name in found) if isinstance(found, dict) else iter(())
    return str(next(ids, ""))
