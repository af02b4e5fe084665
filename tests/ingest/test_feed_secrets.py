from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import NotFoundError, UsageError
from ingest.feed_secrets import hidden, masked, revealing, shown, without_secrets
from ingest.feed_store import FeedStore
from ingest.feeds import FeedState, make_feed
from ingest.log import Partition, topic_specs
from ingest.poller import Poller
from tests.newsroom import PollStage, TestClock
from tests.newsserver import NewsServer, item, rss

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NEWS = rss(item("1", "Ferry runs again", link="https://harbour.example/1"))


class Shelf:
    """A store of secrets in memory: the port's smallest form."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def keep(self, value: str) -> str:
        name = f"{{secret:{len(self.known)}}}"
        self.known[name] = value
        return name

    def reveal(self, target: str) -> str:
        if target not in self.known:
            raise NotFoundError("no such secret")
        return self.known[target]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://a.example/rss", "https://a.example/rss"),
        ("https://a.example/rss?id=7&key=k1&x=2", "https://a.example/rss?id=7&key=***&x=2"),
        ("https://me:pw@a.example/rss", "https://a.example/rss"),
        ("https://token@a.example:8443/rss", "https://a.example:8443/rss"),
        ("https://a.example/rss?api_key=a%2Fb", "https://a.example/rss?api_key=***"),
        ("https://a.example/rss?access_token=x&ApiKey=y", "https://a.example/rss?access_token=***&ApiKey=***"),
        ("https://a.example/rss?X-Signature=z", "https://a.example/rss?X-Signature=***"),
        ("https://a.example/rss?channel_id=UC1234567890abcdef", "https://a.example/rss?channel_id=UC1234567890abcdef"),
        ("https://a.example/rss?keyword=war&key=", "https://a.example/rss?keyword=war&key="),
        ("https://a.example/rss?x=%2f&y=a+b#f", "https://a.example/rss?x=%2f&y=a+b#f"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(url: str, seen: str) -> None:
    assert shown(url) == seen


def test_the_whole_address_is_kept_by_reference_and_comes_back() -> None:
    shelf = Shelf()
    whole = "https://me:pw@a.example/rss?key=k1"
    feed = hidden(make_feed(whole, added=NOW), shelf)
    assert feed.url == "https://a.example/rss?key=***"
    assert feed.id == make_feed(whole, added=NOW).id
    assert revealing(shelf)(feed) == whole
    plain = make_feed("https://a.example/rss", added=NOW)
    assert hidden(plain, shelf) == plain
    assert revealing(shelf)(plain) == plain.url


def test_a_state_of_a_secret_feed_names_neither_key_nor_move() -> None:
    url = "https://a.example/rss?key=k1"
    moved = "https://b.example/rss?key=k1"
    state = FeedState(feed_id="f", sentence=f"See {moved}.", moved_to=moved, followed_url=moved)
    told = without_secrets(state, url)
    assert "k1" not in repr(told)
    assert told.sentence == "See https://b.example/rss?key=***."
    assert without_secrets(state, "https://a.example/rss") == state
    assert masked("key=k1", "https://a.example/") == "key=k1"


async def test_a_secret_feed_is_polled_whole_and_stands_nowhere_in_the_log(tmp_path: Path) -> None:
    shelf, clock = Shelf(), TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        store = FeedStore(stage.log, vault=shelf)
        whole = site.url("/old?key=s3cret").replace("://", "://me:pa55@")
        feed = store.add(whole)
        assert "s3cret" not in f"{feed}{store.opml()}"
        site.answer("/old?key=s3cret", status=301, headers={"Location": "/new?key=s3cret"})
        site.answer("/new?key=s3cret", NEWS)
        polling = dataclasses.replace(stage.polling, resolve=revealing(shelf))
        for _ in range(6):
            poller = Poller(log=stage.log, polling=polling)
            assert (await poller.poll_all_once()).failed == 0
            clock.pass_(hours=12)
        for path in ("/old?key=s3cret", "/new?key=s3cret"):
            # Both at every poll: a move that was followed would lose the password.
            assert site.count(path) == 6
            assert all("Authorization" in request for request in site.requests[path])
        site.answer("/old?key=s3cret", status=302, headers={"Location": "/old?key=s3cret"})
        assert (await Poller(log=stage.log, polling=polling).poll_all_once()).failed == 1
        assert "Too many redirects" in stage.state(feed).sentence
        for spec in topic_specs():
            for record in stage.log.read(Partition(spec.name), 0):
                assert b"s3cret" not in (record.value or b"")
                assert b"pa55" not in (record.value or b"")


async def test_a_lost_secret_fails_its_feed_alone_and_says_so(tmp_path: Path) -> None:
    shelf = Shelf()
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        store = FeedStore(stage.log, vault=shelf)
        feed = store.add(site.url("/a?key=s3cret"))
        store.add(site.url("/b"))
        site.answer("/b", NEWS)
        shelf.known.clear()
        polling = dataclasses.replace(stage.polling, resolve=revealing(shelf))
        totals = await Poller(log=stage.log, polling=polling).poll_all_once()
        assert (totals.feeds, totals.failed, totals.sightings) == (2, 1, 1)
        assert stage.state(feed).sentence.startswith("The secret part of this feed's address is")


async def test_a_list_hides_secrets_and_a_double_is_named_without_them(tmp_path: Path) -> None:
    shelf = Shelf()
    async with PollStage(tmp_path) as stage:
        store = FeedStore(stage.log, vault=shelf)
        text = "https://a.example/rss?key=k1\nhttps://a.example/rss?key=k1\nhttps://b.example/\n"
        report = store.import_list(text, name="list.txt")
        assert [feed.url for feed in report.added] == [
            "https://a.example/rss?key=***",
            "https://b.example/",
        ]
        assert report.skipped == ("https://a.example/rss?key=***",)
        with pytest.raises(UsageError) as caught:
            store.add("https://a.example/rss?key=k1")
        assert "k1" not in caught.value.sentence
        assert "k1" not in str(caught.value)


async def test_a_removed_feed_is_forgotten_and_begins_anew(tmp_path: Path) -> None:
    clock = TestClock()
    async with NewsServer() as site, PollStage(tmp_path, site.host, clock=clock) as stage:
        old = item("1", "Old", published=clock.now - timedelta(days=9))
        site.answer("/rss", rss(old), etag='"1"')
        site.answer("/other", NEWS)
        feed, other = stage.feeds.add(site.url("/rss")), stage.feeds.add(site.url("/other"))
        await stage.poller.poll_all_once()
        kept = [record.key for record in stage.log.table("entries").items(f"{other.id}:")]
        stage.feeds.remove(feed.id)
        assert stage.log.table("feed-state").get(feed.id) is None
        assert [record.key for record in stage.log.table("entries").items()] == kept
        assert len(stage.titles()) == 2, "articles stay"
        stage.feeds.add(site.url("/rss"))
        assert (await stage.poller.poll_all_once()).sightings == 1
        assert stage.sightings()[-1].cause == "first-poll"
        assert stage.state(feed).poll == 1
