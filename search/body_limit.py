"""How much a request may bring along (row F51): more is refused before it is all in memory."""

from __future__ import annotations

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.problems import refusal

TOO_LARGE = 413


class BodyLimit:
    """Refuses bodies of more than ``max_bytes``, whether their length was told or not."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        told = request.headers.get("content-length", "0")
        if told.isdecimal() and int(told) > self._max_bytes:
            sentence = f"A request has {self._max_bytes:,} bytes at most."
            await refusal(request, TOO_LARGE, sentence, code="too-large")(scope, receive, send)
            return
        got = 0

        async def counting() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._max_bytes:
                raise HTTPException(TOO_LARGE, "This is too large.")
            return message

        await self._app(scope, counting, send)
