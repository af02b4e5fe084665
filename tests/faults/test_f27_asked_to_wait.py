"""F27: a host that asks us to wait gets no request before the time, from any of its feeds."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.newsroom import PollStage, TestClock
from tests.newsserver import NewsServer, item, rss

NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))
CLOCK = TestClock()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("3600", 3_600),
        ("1", 60),
        ("-5", 60),
        ("9" * 7_000, 7 * 86_400),
        (format_datetime(CLOCK.now + timedelta(hours=2), usegmt=True), 7_200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 60),
        ("soon", 600),
        (None, 600),
    ],
)
async def test_f27_the_wait_is_what_was_asked_within_a_minute_and_a_week(
    tmp_path: Path, status: int, retry_after: str | None, seconds: int
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", status=status, headers=headers)
        assert (await stage.poller.poll_all_once()).failed == 1
        state = stage.state(feed)
        until = CLOCK.now + timedelta(seconds=seconds)
        assert state.wait_until == until
        assert state.next_poll is not None
        assert state.next_poll > until
        assert state.sentence == f"The host asked us to wait until {until:%d %B %Y %H:%M} UTC."
        assert stage.slots.held_seconds(feed.url) == pytest.approx(seconds, abs=5)


async def test_f27_the_whole_host_rests_and_a_restart_remembers(tmp_path: Path) -> None:
    async with NewsServer() as site, NewsServer() as other:
        site.answer("/busy", status=429, headers={"Retry-After": "3600"})
        site.answer("/calm", NEWS)
        other.answer("/rss", NEWS)
        hosts = (site.host, other.host)
        async with PollStage(tmp_path, *hosts) as stage:
            stage.feeds.add(site.url("/busy"))
            await stage.poller.poll_all_once()
            calm = stage.feeds.add(site.url("/calm"))
            stage.feeds.add(other.url("/rss"))
            totals = await stage.poller.poll_all_once()
            assert (totals.feeds, totals.failed) == (3, 2)
            assert "asked us to wait" in stage.state(calm).sentence
            assert stage.state(calm).failures == 0
        async with PollStage(tmp_path, *hosts) as stage:
            await stage.poller.poll_all_once()
        assert (site.count("/busy"), site.count("/calm")) == (1, 0)
        assert other.count("/rss") == 2


async def test_f27_when_the_time_is_over_polling_goes_on(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site:
        site.answer("/rss", status=503, headers={"Retry-After": "120"})
        async with PollStage(tmp_path, site.host, clock=clock) as stage:
            stage.feeds.add(site.url("/rss"))
            await stage.poller.poll_all_once()
        clock.pass_(seconds=121)
        site.answer("/rss", NEWS)
        async with PollStage(tmp_path, site.host, clock=clock) as stage:
            assert (await stage.poller.poll_all_once()).sightings == 1


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_f27_a_test_for_browsers_that_asks_us_to_wait_is_heeded(
    tmp_path: Path, status: int
) -> None:
    page = "<html><title>Just a moment...</title><script src=/cdn-cgi/challenge-platform/x>"
    headers = {"Retry-After": "3600", "Content-Type": "text/html"}
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", page, status=status, headers=headers)
        await stage.poller.poll_all_once()
        assert "blocked by Cloudflare challenge" in stage.state(feed).sentence
        assert (await stage.poller.poll_all_once()).failed == 1
        assert site.count("/rss") == 1, "not asked again before the hour is over"
        assert stage.state(feed).wait_until is not None
