"""F56, the poller's part: the old entries of a new feed are marked, so that they alert nobody."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.newsroom import PollStage, TestClock
from tests.newsserver import NewsServer, item, rss


async def test_f56_five_hundred_old_entries_are_sent_as_first_poll(tmp_path: Path) -> None:
    clock = TestClock()
    items = [
        item(
            str(number),
            f"Report {number}",
            link=f"https://harbour.example/{number}",
            published=clock.now - timedelta(hours=number) if number else None,
        )
        for number in range(500)
    ]
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        stage.feeds.add(site.url("/rss"))
        site.answer("/rss", rss(*items))
        await stage.poller.poll_all_once()
        causes = Counter(sighting.cause for sighting in stage.sightings())
        assert causes == {"live": 24, "first-poll": 476}
        late = item("new", "Late but new", published=clock.now - timedelta(days=30))
        site.answer("/rss", rss(late, *items))
        await stage.poller.poll_all_once()
        assert stage.sightings()[-1].cause == "live"


async def test_f56_a_feed_that_failed_first_has_its_first_poll_later(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        stage.feeds.add(site.url("/rss"))
        await stage.poller.poll_all_once()
        site.answer("/rss", rss(item("1", "Old", published=clock.now - timedelta(days=9))))
        await stage.poller.poll_all_once()
        (sighting,) = stage.sightings()
        assert sighting.cause == "first-poll"
