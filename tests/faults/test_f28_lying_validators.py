"""F28: validators that lie hide no news for longer than a week."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from aiohttp import web

from tests.newsroom import PollStage, TestClock
from tests.newsserver import NewsServer, item, rss

FIRST = item("1", "Ferry runs again", link="https://harbour.example/1")
LATER = item("2", "Harbour shut", link="https://harbour.example/2")


async def poll_for(stage: PollStage, clock: TestClock, *, days: int) -> None:
    for _ in range(4 * days):
        clock.pass_(hours=6)
        await stage.poller.poll_all_once()


async def test_f28_the_same_etag_for_a_new_body_hides_it_for_a_week_at_most(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", rss(FIRST), etag='"always"')
        await stage.poller.poll_all_once()
        site.answer("/rss", rss(LATER, FIRST), etag='"always"')
        await poll_for(stage, clock, days=6)
        assert stage.titles() == ["Ferry runs again"]
        await poll_for(stage, clock, days=1)
        assert stage.titles() == ["Ferry runs again", "Harbour shut"]
        state = stage.state(feed)
        assert state.sentence.startswith("A full fetch found 1 entry that")
        assert state.distrusted
        asked = site.count("/rss")
        site.answer("/rss", rss(item("3", "Third"), LATER, FIRST), etag='"always"')
        await stage.poller.poll_all_once()
        assert "If-None-Match" not in site.requests["/rss"][asked]
        assert stage.titles()[-1] == "Third"


async def test_f28_a_server_that_always_says_unmodified_is_asked_in_full_weekly(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    body = {"text": rss(FIRST), "etag": '"1"'}

    async def stuck(request: web.Request) -> web.Response:
        if "If-None-Match" in request.headers:
            return web.Response(status=304)
        return web.Response(body=body["text"].encode(), headers={"ETag": body["etag"]})

    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.script("/rss", stuck)
        await stage.poller.poll_all_once()
        await poll_for(stage, clock, days=1)
        hidden = item("2", "Harbour shut", link="https://harbour.example/2", published=clock.now)
        body |= {"text": rss(hidden, FIRST), "etag": '"2"'}
        await poll_for(stage, clock, days=7)
        assert stage.titles() == ["Ferry runs again", "Harbour shut"]
        assert stage.state(feed).distrusted
        full = [seen for seen in site.requests["/rss"] if "If-None-Match" not in seen]
        assert len(full) <= 6


async def test_f28_an_honest_server_keeps_our_trust(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        for week in range(3):
            fresh = item(str(week), f"Week {week}", published=clock.now - timedelta(minutes=5))
            site.answer("/rss", rss(fresh, FIRST), etag=f'"{week}"')
            await poll_for(stage, clock, days=7)
        assert not stage.state(feed).distrusted
        assert len(stage.titles()) == 4
        full = [seen for seen in site.requests["/rss"] if "If-None-Match" not in seen]
        assert len(full) <= 4


async def test_f28_an_etag_that_changes_every_time_makes_no_news(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        for poll in range(10):
            site.answer("/rss", rss(FIRST), etag=f'W/"{poll}"')
            await stage.poller.poll_all_once()
        assert stage.titles() == ["Ferry runs again"]
        assert [seen.get("If-None-Match") for seen in site.requests["/rss"]][1:3] == [
            'W/"0"',
            'W/"1"',
        ]
