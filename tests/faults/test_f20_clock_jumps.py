"""F20: whatever the clock does, the schedule goes on: no storm, no silence, nothing anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest.settings import PollSettings
from tests.newsroom import PollStage, TestClock, until
from tests.newsserver import NewsServer, item, rss

NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))
SETTINGS = PollSettings(min_seconds=0.2, default_seconds=0.2, max_seconds=0.4)


@pytest.mark.parametrize("years", [10, -10])
async def test_f20_a_clock_that_jumps_while_polling_changes_no_waiting(
    tmp_path: Path, years: int
) -> None:
    clock = TestClock()
    stop = asyncio.Event()
    async with (
        NewsServer() as site,
        PollStage(tmp_path, site.host, clock=clock, settings=SETTINGS) as stage,
    ):
        site.answer("/rss", NEWS)
        stage.feeds.add(site.url("/rss"))
        running = asyncio.create_task(stage.poller.run(stop))
        await until(lambda: site.count("/rss") == 2)
        clock.pass_(days=365 * years)
        before = site.count("/rss")
        await asyncio.sleep(1.1)
        stop.set()
        await running
        assert 2 <= site.count("/rss") - before <= 6
        assert len(stage.sightings()) == 1


@pytest.mark.parametrize("years", [10, -10])
async def test_f20_a_clock_that_jumped_while_we_were_down_causes_neither_storm_nor_silence(
    tmp_path: Path, years: int
) -> None:
    clock = TestClock()
    async with NewsServer() as site:
        site.answer("/rss", NEWS, etag='"1"')
        async with PollStage(tmp_path, site.host, clock=clock, settings=SETTINGS) as stage:
            stage.feeds.add(site.url("/rss"))
            await stage.poller.poll_all_once()
        clock.pass_(days=365 * years)
        stop = asyncio.Event()
        async with PollStage(tmp_path, site.host, clock=clock, settings=SETTINGS) as stage:
            running = asyncio.create_task(stage.poller.run(stop))
            await until(lambda: site.count("/rss") >= 3)
            await asyncio.sleep(0.5)
            stop.set()
            await running
            assert site.count("/rss") <= 7
            assert len(stage.sightings()) == 1


async def test_f20_a_jump_does_not_reset_what_was_seen(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        stage.feeds.add(site.url("/rss"))
        for years in (0, 10, -20, 30, -10):
            clock.pass_(days=365 * years)
            site.answer("/rss", NEWS)
            await stage.poller.poll_all_once()
            site.answer("/rss", rss(item("2", "Else", link="https://harbour.example/2")))
            await stage.poller.poll_all_once()
        assert stage.titles() == ["Ferry runs again", "Else"]


@pytest.mark.parametrize("jump_days", [3_650, -3_650])
async def test_f20_a_host_that_asked_us_to_wait_is_neither_stormed_nor_forgotten(
    tmp_path: Path, jump_days: int
) -> None:
    clock = TestClock()
    async with NewsServer() as site:
        site.answer("/rss", status=429, headers={"Retry-After": "3600"})
        async with PollStage(tmp_path, site.host, clock=clock) as stage:
            feed = stage.feeds.add(site.url("/rss"))
            await stage.poller.poll_all_once()
            clock.pass_(days=jump_days)
            await stage.poller.poll_all_once()
            assert site.count("/rss") == 1, "the wait is measured by a clock that never jumps"
            assert "wait until" in stage.state(feed).sentence
