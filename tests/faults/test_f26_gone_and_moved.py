"""F26: feeds that vanish, end or move."""

from __future__ import annotations

from pathlib import Path

from tests.newsroom import PollStage, TestClock
from tests.newsserver import NewsServer, item, rss

NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))


async def test_f26_a_feed_not_found_backs_off_and_is_kept(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        waits = []
        for _ in range(3):
            await stage.poller.poll_all_once()
            due = stage.state(feed).next_poll
            assert due is not None
            waits.append(due - clock.now)
            clock.pass_(hours=1)
        assert waits == sorted(waits)
        assert waits[0] < waits[-1]
        assert stage.state(feed).sentence.startswith("Not found (404 Not Found)")
        site.answer("/rss", NEWS)
        await stage.poller.poll_all_once()
        assert stage.titles() == ["Ferry runs again"]


async def test_f26_a_gone_feed_is_asked_once_and_keeps_its_history(tmp_path: Path) -> None:
    async with NewsServer() as site:
        site.answer("/rss", NEWS)
        async with PollStage(tmp_path, site.host) as stage:
            feed = stage.feeds.add(site.url("/rss"))
            await stage.poller.poll_all_once()
            site.answer("/rss", status=410)
            totals = [await stage.poller.poll_all_once() for _ in range(5)]
            assert {(total.feeds, total.failed) for total in totals} == {(1, 1)}
            assert stage.state(feed).state == "gone"
            assert stage.state(feed).sentence.startswith("Gone since 02 March 2026")
        async with PollStage(tmp_path, site.host) as stage:
            await stage.poller.poll_all_once()
            assert site.count("/rss") == 2
            assert stage.titles() == ["Ferry runs again"]
            assert stage.feeds.get(feed.id).url == feed.url


async def test_f26_a_gone_feed_that_a_person_adds_again_is_polled(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", status=410)
        await stage.poller.poll_all_once()
        stage.feeds.remove(feed.id)
        stage.feeds.add(site.url("/rss"))
        site.answer("/rss", NEWS)
        assert (await stage.poller.poll_all_once()).sightings == 1
        assert stage.state(feed).state == "ok"


async def test_f26_a_permanent_move_is_followed_after_three_polls_and_a_day(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/old"))
        site.answer("/old", status=301, headers={"Location": "/new"})
        site.answer("/new", NEWS)
        for _ in range(4):
            await stage.poller.poll_all_once()
            clock.pass_(hours=7)
        assert site.count("/old") == 4
        clock.pass_(hours=7)
        await stage.poller.poll_all_once()
        await stage.poller.poll_all_once()
        assert site.count("/old") == 5, "the sixth poll goes straight to the new address"
        assert stage.state(feed).followed_url == site.url("/new")
        assert stage.titles() == ["Ferry runs again"], "same feed, same articles"
        assert {s.article.feed_id for s in stage.sightings()} == {feed.id}


async def test_f26_a_temporary_redirect_is_never_remembered(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/old"))
        site.answer("/old", status=302, headers={"Location": "/new"})
        site.answer("/new", NEWS)
        for _ in range(6):
            await stage.poller.poll_all_once()
            clock.pass_(days=1)
        assert site.count("/old") == 6
        assert stage.state(feed).moved_to == ""


async def test_f26_a_parked_domain_is_no_feed_and_no_end(tmp_path: Path) -> None:
    page = "<html><head><title>Buy this domain</title></head><body>For sale</body></html>"
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", page)
        await stage.poller.poll_all_once()
        state = stage.state(feed)
        assert (state.state, state.gone_since) == ("not-a-feed", None)
        assert state.next_poll is not None
