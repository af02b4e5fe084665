"""Rows F01 to F10 as the owner of a feed list sees them: the whole poll, the real sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest.sandbox import SandboxPool
from ingest.settings import FetchSettings, ParseSettings
from tests.evil import EvilServer, bomb
from tests.newsroom import PollStage, until
from tests.newsserver import NewsServer, item, rss

NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))
WIRE = [
    ("/gzip-bomb", "Refused: body larger than 15 MB unpacked."),
    ("/gzip-bomb2", "Refused: encoding gzip, gzip."),
    ("/endless", "Refused: body larger than 10 MB."),
    ("/drip", "Timed out after 2 s."),
    ("/rst", "Connection broke"),
    ("/lie", "Connection broke"),
    ("/loop", "Too many redirects"),
]
BODIES = [
    ("<!DOCTYPE rss [<!ENTITY a 'b'>]>" + NEWS, "Refused: document declares entities."),
    (NEWS.replace("Ferry", "SPIN"), "Refused: took more than 1 s to read."),
    (NEWS.replace("Ferry", "CRASH"), "Reader crashed on this feed."),
]


@pytest.mark.parametrize(("path", "sentence"), WIRE)
async def test_f01_to_f10_an_evil_server_is_named_and_its_neighbour_is_polled_on_time(
    tmp_path: Path, path: str, sentence: str
) -> None:
    bomb()
    async with (
        EvilServer() as evil,
        NewsServer() as site,
        PollStage(tmp_path, evil.host, site.host, fetch=FetchSettings(total_seconds=2)) as stage,
    ):
        evil.handlers["/lie"] = lambda exchange: exchange.send(
            b'HTTP/1.1 200 OK\r\nETag: "never-saved"\r\nContent-Length: 9999\r\n\r\n'
            + NEWS.encode()
        )
        bad = stage.feeds.add(evil.url(path))
        site.answer("/rss", NEWS)
        stage.feeds.add(site.url("/rss"))
        polling = asyncio.create_task(stage.poller.poll_all_once())
        await until(lambda: bool(stage.titles()), seconds=1.5)
        totals = await polling
        assert (totals.failed, stage.titles()) == (1, ["Ferry runs again"])
        state = stage.state(bad)
        assert state.sentence.startswith(sentence)
        assert (state.state, state.failures, state.etag) == ("failing", 1, "")
        assert state.next_poll is not None


@pytest.mark.parametrize(("body", "sentence"), BODIES)
async def test_f06_to_f09_an_evil_body_is_set_aside_and_its_neighbours_are_read(
    tmp_path: Path, body: str, sentence: str
) -> None:
    pool = SandboxPool(
        "tests.sandbox_targets:fragile", settings=ParseSettings(seconds=1, processes=2)
    )
    async with NewsServer() as site, PollStage(tmp_path, site.host, sandboxes=pool) as stage:
        site.answer("/bad", body)
        bad = stage.feeds.add(site.url("/bad"))
        for number in range(5):
            site.answer(f"/{number}", NEWS)
            stage.feeds.add(site.url(f"/{number}"))
        for _ in range(2):
            assert (await stage.poller.poll_all_once()).failed == 1
        await pool.close()
        state = stage.state(bad)
        assert state.sentence.startswith(sentence)
        assert (state.failures, state.etag, state.poll) == (2, "", 0)
        assert state.next_poll is not None
        (aside,) = stage.quarantine.items()
        assert (aside.stage, aside.key) == ("poll", bad.id)
        assert stage.quarantine.bytes_of(aside.id) == body.encode()
        assert len(stage.titles()) == 5
