"""The end of a stream whose reader may not read on: an account that was revoked, a logout."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Send

LOOK_SECONDS = 10.0
"""Between two looks at whether the reader may still read, while something is sent."""


def ending(
    receive: Receive,
    send: Send,
    *,
    when: Callable[[], Awaitable[bool]],
    look_seconds: float = LOOK_SECONDS,
) -> tuple[Receive, Send]:
    """``receive`` and ``send`` that end an answer in the making once ``when()`` says so.

    The reader sees the end of the answer, the application that the reader went away.
    """
    ended = asyncio.Event()
    looked = time.monotonic()

    async def receiving() -> Message:
        getting = asyncio.ensure_future(receive())
        ending = asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait({getting, ending}, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else {"type": "http.disconnect"}
        finally:
            getting.cancel()
            ending.cancel()

    async def sending(message: Message) -> None:
        nonlocal looked
        if ended.is_set():
            return
        is_part = message["type"] == "http.response.body" and message.get("more_body", False)
        if is_part and time.monotonic() - looked >= look_seconds:
            looked = time.monotonic()
            if await when():
                message = {"type": "http.response.body", "body": b"", "more_body": False}
                ended.set()
        await send(message)

    return receiving, sending
