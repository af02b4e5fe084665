from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.discovery import NamedFeed
from ingest.errors import UsageError
from ingest.feed_check import FeedCheck
from tests.newsroom import InlineReader, PollStage
from tests.newsserver import NewsServer, item, rss

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NEWS = rss(
    *(item(str(n), f"Report {n}", published=NOW - timedelta(hours=n)) for n in range(10)),
    more="<ttl>30</ttl>",
)
PAGE = (
    '<html><head><link rel="alternate" type="application/rss+xml" href="/rss" title="All"></head>'
)


def checker(stage: PollStage) -> FeedCheck:
    return FeedCheck(fetcher=stage.fetcher, slots=stage.slots, sandboxes=InlineReader())


async def test_a_feed_is_described_and_nothing_is_written(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        site.answer("/old", status=301, headers={"Location": "/rss"})
        site.answer("/rss", NEWS, headers={"Cache-Control": "max-age=3000"})
        report = await checker(stage).address(site.url("/old"), now=NOW)
        assert (report.state, report.title, report.format) == ("ok", "Harbour news", "rss")
        assert report.sentence == "A feed with 10 entries."
        assert (report.entries, report.newest) == (10, NOW)
        assert report.every_seconds == 3_000.0
        assert report.moved_to == report.address == site.url("/rss")
        assert stage.sightings() == []


async def test_a_web_page_offers_its_feeds(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        site.answer("/", PAGE, headers={"Content-Type": "text/html"})
        report = await checker(stage).address(site.url("/"), now=NOW)
        assert report.state == "not-a-feed"
        assert report.found == (NamedFeed(url=site.url("/rss"), title="All"),)
        assert "found 1 feed" in report.sentence


async def test_what_fails_is_said_as_a_poll_would_say_it(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        report = await checker(stage).address(site.url("/nowhere"), now=NOW)
        assert (report.state, report.entries) == ("failing", 0)
        assert report.sentence.startswith("Not found (404")
        empty = await checker(stage).body(b"", now=NOW)
        assert (empty.state, empty.found) == ("failing", ())
        private = await checker(stage).address("http://127.0.0.1:9/rss", now=NOW)
        assert private.state == "blocked"
        closed = await checker(stage).address("https://harbour.invalid/rss", now=NOW)
        assert closed.state == "failing"
        with pytest.raises(UsageError):
            await checker(stage).address("file:///etc/passwd", now=NOW)


async def test_a_feed_that_is_gone_is_called_so(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        site.answer("/rss", status=410)
        report = await checker(stage).address(site.url("/rss"), now=NOW)
        assert (report.state, report.sentence[:4]) == ("gone", "Gone")


async def test_a_report_shows_no_secret_of_the_address(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        for status in (200, 301, 302):
            target = "/new?key=s3cret" if status == 301 else "/rss?key=s3cret"
            site.answer("/rss?key=s3cret", NEWS, status=status, headers={"Location": target})
            site.answer("/new?key=s3cret", NEWS)
            whole = site.url("/rss?key=s3cret").replace("://", "://me:pa55@")
            report = await checker(stage).address(whole, now=NOW)
            assert report.state == ("failing" if status == 302 else "ok")
            assert "s3cret" not in repr(report)
            assert "pa55" not in repr(report)


async def test_a_file_is_checked_without_network(tmp_path: Path) -> None:
    async with PollStage(tmp_path) as stage:
        report = await checker(stage).body(rss(item(None, "Undated")).encode(), now=NOW)
        assert (report.state, report.entries, report.newest) == ("ok", 1, None)
        assert report.sentence == "A feed with 1 entry."
        assert report.every_seconds == 900.0
