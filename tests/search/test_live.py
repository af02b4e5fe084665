"""Streams of alerts: nothing lost, nothing twice, nothing of others; slow readers are let go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from deploy.serve import bind_socket, serving
from ingest.log import topic_specs
from search import live as live_module
from search import live_events
from search.live import Live, Start
from tests.alerting import MANY, Newsdesk, story

DEADLINE = 20.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a browser understands it."""

    id: str
    kind: str
    data: Any


def heard(text: str) -> Iterator[Heard]:
    """The events of a piece of ``text/event-stream`` that ends with a whole one."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if fields and not block.startswith(":"):
            data = json.loads(fields["data"]) if "data" in fields else None
            yield Heard(fields.get("id", ""), fields.get("event", ""), data)


class Ear:
    """Listens to one stream, as a browser does that comes again."""

    def __init__(self, live: Live, *, owner: str = "", stories: bool = False) -> None:
        self._live = live
        self._sees = (lambda one: one == owner) if owner else (lambda _: True)
        self._stories = stories
        self.last = ""
        self.heard: list[Heard] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[AsyncGenerator[bytes]]:
        """The stream from the last event on; it stands once this block is entered."""
        start = await self._live.begin(self.last)
        found = self._live.events(start, self._sees, stories=self._stories)
        async with aclosing(found), asyncio.timeout(DEADLINE):
            for _ in range(2):  # its first words, and what was missed
                self._note(await anext(found))
            yield found

    async def until(self, stream: AsyncIterator[bytes], count: int) -> None:
        """Listen until so many events were heard over all."""
        while len(self.heard) < count:
            self._note(await anext(stream))

    def _note(self, chunk: bytes) -> None:
        for one in heard(chunk.decode()):
            self.last = one.id or self.last
            if one.kind:
                self.heard.append(one)

    def alerts(self) -> list[tuple[str, str]]:
        """(article, state) of each alert event."""
        rows = [one.data for one in self.heard if one.kind == "alert"]
        return [(row["article_id"], row["state"]) for row in rows]


@pytest.fixture(params=["one partition", "many"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Newsdesk]:
    specs = MANY if request.param == "many" else topic_specs()
    found = Newsdesk(folder=tmp_path, specs=specs)
    yield found
    found.close()


async def claimed(desk: Newsdesk, *names: str) -> None:
    desk.publish(*(story(name) for name in names))
    await asyncio.to_thread(desk.settle)


async def test_alerts_are_told_as_they_are_claimed_and_as_they_are_sent(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    live = Live(desk.log)
    ear = Ear(live)
    async with ear.listening() as stream:
        await claimed(desk, "one")
        await ear.until(stream, 1)
        await desk.sender.once()
        await ear.until(stream, 2)
    assert ear.alerts() == [("one", "waiting"), ("one", "sent")]
    assert "payload" not in ear.heard[0].data
    live.close()


async def test_whoever_comes_again_misses_nothing_and_hears_nothing_twice(desk: Newsdesk) -> None:
    for number in range(3):
        desk.subscribe(f"truce {number}")
    live = Live(desk.log)
    ear = Ear(live)
    names = [f"article-{number}" for number in range(6)]
    for round_number, name in enumerate(names):
        async with ear.listening() as stream:
            await claimed(desk, name)
            await ear.until(stream, 6 * round_number + 3)
        await claimed(desk, f"{name}-away")  # nobody listens
        async with ear.listening() as stream:
            await ear.until(stream, 6 * round_number + 6)
    wanted = sorted(3 * [*names, *(f"{name}-away" for name in names)])
    assert sorted(article for article, _ in ear.alerts()) == wanted
    live.close()


async def test_a_stream_that_begins_where_the_last_one_ended_is_told_of_news(
    desk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.01)
    desk.subscribe("truce")
    live = Live(desk.log)
    async with Ear(live).listening():
        pass
    await asyncio.sleep(0.2)  # the follower comes to rest; nothing is written meanwhile
    ear = Ear(live)
    async with ear.listening() as stream:
        await claimed(desk, "one")
        await ear.until(stream, 1)
    live.close()


async def test_another_process_goes_on_where_the_first_one_ended(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    first, second = Live(desk.log), Live(desk.log)
    ear = Ear(first)
    async with ear.listening() as stream:
        await claimed(desk, "one")
        await ear.until(stream, 1)
    await claimed(desk, "two")
    other = Ear(second)
    other.last = ear.last
    async with other.listening() as stream:
        await other.until(stream, 1)
        await claimed(desk, "three")
        await other.until(stream, 2)
    assert other.alerts() == [("two", "waiting"), ("three", "waiting")]
    first.close()
    second.close()


async def test_nobody_hears_of_alerts_that_are_not_their_own(desk: Newsdesk) -> None:
    desk.subscribe("truce")
    live = Live(desk.log)
    mine, theirs = Ear(live, owner="local"), Ear(live, owner="somebody", stories=True)
    async with mine.listening() as stream, theirs.listening() as other:
        await claimed(desk, "one")
        await mine.until(stream, 1)
        await asyncio.sleep(0)
        await claimed(desk, "two")
        await theirs.until(other, 1)
    assert mine.alerts()
    assert {one.kind for one in theirs.heard} == {"story"}
    live.close()


async def test_articles_are_counted_for_those_who_ask(desk: Newsdesk) -> None:
    live = Live(desk.log)
    ear = Ear(live, stories=True)
    desk.publish(story("before"))
    async with ear.listening() as stream:
        news = asyncio.create_task(ear.until(stream, 1))
        number = 0
        while not news.done():
            desk.publish(story(f"article-{number}"))
            number += 1
            await asyncio.sleep(0.05)
        await news
    assert ear.heard[0].kind == "story"
    assert 1 <= ear.heard[0].data["new"] <= number
    live.close()


async def test_articles_that_came_while_nobody_listened_are_not_counted(
    desk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live_module, "STORY_SECONDS", 0.01)
    live = Live(desk.log)
    for number in range(3):
        ear = Ear(live, stories=True)
        async with ear.listening() as stream:
            news = asyncio.create_task(ear.until(stream, 1))
            published = 0
            while not news.done():
                desk.publish(story(f"listening-{number}-{published}"))
                published += 1
                await asyncio.sleep(0.05)
            await news
        assert ear.heard[0].data["new"] <= published
        for missed in range(50):
            desk.publish(story(f"alone-{number}-{missed}"))
    live.close()


@pytest.mark.parametrize("last", ["999999", "1-2", "yes", "-1", "1" * 400, "٣"])
async def test_an_id_that_is_not_of_this_log_begins_anew(desk: Newsdesk, last: str) -> None:
    live = Live(desk.log)
    ear = Ear(live)
    ear.last = last
    async with ear.listening():
        pass
    assert [one.kind for one in ear.heard] == ["reset"]
    live.close()


async def test_one_who_was_away_too_long_begins_anew(
    desk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_events, "MAX_BEHIND", 5)
    desk.subscribe("truce")
    live = Live(desk.log)
    ear = Ear(live)
    async with ear.listening():
        pass
    await claimed(desk, *(f"article-{number}" for number in range(9)))
    async with ear.listening() as stream:
        assert [one.kind for one in ear.heard] == ["reset"]
        await claimed(desk, "after")
        await ear.until(stream, 2)
    assert ear.alerts() == [("after", "waiting")]
    live.close()


async def test_a_slow_reader_is_let_go_and_finds_all_when_it_comes_again(
    desk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "MAX_WAITING", 2)
    desk.subscribe("truce")
    live = Live(desk.log)
    slow, quick = Ear(live), Ear(live)
    names = [f"article-{number}" for number in range(5)]
    async with slow.listening() as stream, quick.listening() as other:
        for number, name in enumerate(names, 1):
            await claimed(desk, name)
            await quick.until(other, number)
        async for chunk in stream:  # comes to an end by itself
            slow._note(chunk)
    async with slow.listening() as stream:
        await slow.until(stream, len(names))
    assert [article for article, _ in slow.alerts()] == names
    live.close()


async def test_streams_end_when_the_server_ends(tmp_path: Path, desk: Newsdesk) -> None:
    live = Live(desk.log)
    app = FastAPI()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(live.events(await live.begin(""), lambda _: True))

    path = tmp_path / "s.sock"
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    async with asyncio.timeout(DEADLINE), httpx.AsyncClient(transport=transport) as client:
        async with serving(app, bind_socket(path), end_streams=live.close):
            request = client.build_request("GET", "http://wirewatch/stream")
            answer = await client.send(request, stream=True)
            chunks = answer.aiter_bytes()
            assert b"retry:" in await anext(chunks)
        async for chunk in chunks:  # the server has ended; so has the answer
            assert b"alert" not in chunk
    assert not len(live)


async def test_a_stream_does_not_outlive_its_time(
    desk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "STREAM_SECONDS", 0.0)
    live = Live(desk.log)
    start = await live.begin("")
    chunks = [chunk async for chunk in live.events(start, lambda _: True)]
    assert len(chunks) == 2
    assert isinstance(start, Start)
    live.close()
