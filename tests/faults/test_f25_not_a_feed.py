"""F25, the poller's part: what is no feed is said, kept and tried again; never a success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.newsroom import PollStage, TestClock
from tests.newsserver import NewsServer, item, rss

NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))
PAGE = b"""<!doctype html><html><head><title>Harbour</title>
<link rel="alternate" type="application/rss+xml" href="/one.xml" title="One">
<link rel="alternate" type="application/atom+xml" href="/two.xml"></head><body>Hi</body></html>"""
LOGIN = b"<html><body><form action=/login><input type=password></form></body></html>"
CHALLENGE = b"""<!DOCTYPE html><html><head><title>Just a moment...</title></head>
<body><script src="/cdn-cgi/challenge-platform/h/b/orchestrate/v1"></script></body></html>"""


KINDS = ("text/html", "application/rss+xml", "application/json")


@pytest.mark.parametrize(
    ("body", "status", "condition", "says"),
    [
        (PAGE, 200, "not-a-feed", "This is a web page, not a feed; found 2 feeds in it"),
        (b'{"error": "no such feed"}', 200, "not-a-feed", ""),
        (b"", 200, "failing", "empty"),
        (LOGIN, 200, "blocked", "login page"),
        (CHALLENGE, 200, "blocked", "blocked by Cloudflare challenge"),
        (CHALLENGE, 403, "blocked", "blocked by Cloudflare challenge"),
        (CHALLENGE, 503, "blocked", "blocked by Cloudflare challenge"),
        (PAGE, 403, "blocked", "refuses us (403 Forbidden)"),
    ],
)
async def test_f25_what_is_no_feed_is_said_and_its_bytes_are_kept(
    tmp_path: Path, *, body: bytes, status: int, condition: str, says: str
) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feeds = [stage.feeds.add(site.url(f"/{kind}")) for kind in KINDS]
        for kind in KINDS:
            headers = {"Content-Type": kind, "ETag": '"x"'}
            site.answer(f"/{kind}", body, status=status, headers=headers)
        totals = await stage.poller.poll_all_once()
        assert (totals.failed, totals.entries_seen) == (3, 0)
        for state in map(stage.state, feeds):
            assert state.state == condition
            assert says in state.sentence
            assert (state.failures, state.etag, state.last_ok) == (1, "", None)
            assert state.next_poll is not None, "never switched off"
        kept = {aside.key: aside for aside in stage.quarantine.items()}
        assert set(kept) == ({feed.id for feed in feeds} if "refuses" not in says else set())
        assert all(stage.quarantine.bytes_of(aside.id) == body for aside in kept.values())
        assert all(aside.stage == "poll" for aside in kept.values())


async def test_f25_the_feed_comes_back_by_itself(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        for number in range(12):
            site.answer("/rss", PAGE + b"<!-- %d -->" % number)
            clock.pass_(hours=1)
            await stage.poller.poll_all_once()
        assert stage.state(feed).failures == 12
        assert len(stage.quarantine.items()) == 2, "pages that differ each time do not pile up"
        site.answer("/rss", NEWS)
        await stage.poller.poll_all_once()
        assert (stage.state(feed).state, stage.state(feed).failures) == ("ok", 0)
        assert stage.titles() == ["Ferry runs again"]


@pytest.mark.parametrize("answer", ["the same", "another page", "none"])
async def test_f25_a_retry_that_fails_again_is_listed_again(tmp_path: Path, answer: str) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        stage.feeds.add(site.url("/rss"))
        site.answer("/rss", PAGE)
        await stage.poller.poll_all_once()
        (row,) = stage.quarantine.items()
        stage.quarantine.mark_retried(row.id)
        clock.pass_(minutes=1)
        if answer != "the same":
            site.answer("/rss", LOGIN, status=200 if answer == "another page" else 404)
        await stage.poller.poll_all_once()
        (again,) = stage.quarantine.items()
        assert (again.id, again.state, again.tries) == (row.id, "open", 2)
        assert stage.quarantine.bytes_of(row.id) == PAGE
        stage.quarantine.mark_retried(row.id)
        site.answer("/rss", NEWS)
        await stage.poller.poll_all_once()
        assert [one.state for one in stage.quarantine.items()] == ["retried"]


async def test_f25_an_empty_feed_is_a_feed(tmp_path: Path) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", rss())
        totals = await stage.poller.poll_all_once()
        assert (totals.failed, stage.state(feed).state) == (0, "ok")
