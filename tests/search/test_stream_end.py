"""A stream whose reader may not read on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Message

from search.stream_end import ending

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}


class Reader:
    """What a server gives to an application, and what it got of it."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody goes away by himself")

    async def send(self, message: Message) -> None:
        self.got.append(message)


async def endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield b"alert"


async def test_a_stream_ends_soon_after_its_account() -> None:
    reader = Reader()

    async def is_revoked() -> bool:
        return len(reader.got) > 3

    receive, send = ending(reader.receive, reader.send, when=is_revoked, look_seconds=0)
    async with asyncio.timeout(10):
        await StreamingResponse(endless())(SCOPE, receive, send)
    *parts, last = reader.got[1:]
    assert [part["body"] for part in parts] == [b"alert"] * 3
    assert (last["body"], last["more_body"]) == (b"", False)


async def test_a_short_answer_is_not_looked_at() -> None:
    reader = Reader()

    async def is_revoked() -> bool:
        raise AssertionError("not asked")

    receive, send = ending(reader.receive, reader.send, when=is_revoked, look_seconds=0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"all", "more_body": False})
    assert [message["type"] for message in reader.got][-1] == "http.response.body"
    assert receive is not reader.receive
