from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.article import Article, content_hash
from ingest.entry import ParsedFeed, RawEntry
from ingest.identity import feed_id
from ingest.normalise import normalise
from ingest.settings import ArticleLimits
from ingest.wire import decode, encode

FETCHED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FEED_URL = "https://feeds.example.net/news.xml"
FEED_ID = feed_id(FEED_URL)


def articles(
    *entries: RawEntry, feed: ParsedFeed | None = None, limits: ArticleLimits | None = None
) -> tuple[Article, ...]:
    parsed = replace(feed or ParsedFeed(home_url="https://www.example.com/"), entries=entries)
    return normalise(
        parsed,
        feed_id=FEED_ID,
        feed_url=FEED_URL,
        fetched=FETCHED,
        groups=("World",),
        limits=limits,
    )


def article(*, feed: ParsedFeed | None = None, **fields: Any) -> Article:
    (found,) = articles(RawEntry(**fields), feed=feed)
    return found


def test_an_entry_becomes_a_whole_article() -> None:
    found = article(
        feed=ParsedFeed(home_url="https://www.example.com/", language="en-GB"),
        guid="story-1",
        link="http://www.example.com/a/?utm_source=rss",
        title="Market &amp; <b>mood</b>",
        body="<p>One.</p><p>Two.</p>",
        summary="One.",
        authors=("Ann Example", "ann example", "<b>Bo</b>"),
        tags=("Trade &amp; Industry", "trade & industry", " "),
        published="Sun, 22 Nov 2026 10:00:00 GMT",
        date_source="pubDate",
    )
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert found == Article(
        id=found.id,
        feed_id=FEED_ID,
        feeds=(FEED_ID,),
        source="example.com",
        url="http://www.example.com/a/?utm_source=rss",
        canonical_url="https://example.com/a",
        guid="story-1",
        title="Market & mood",
        text="One.\nTwo.",
        authors=("Ann Example", "Bo"),
        tags=("Trade & Industry",),
        language_declared="en",
        published=moment,
        published_claimed="Sun, 22 Nov 2026 10:00:00 GMT",
        date_source="pubDate",
        groups=("World",),
        content_hash=content_hash(
            title="Market & mood", text="One.\nTwo.", canonical_url="https://example.com/a"
        ),
    )


def test_entries_stay_in_document_order_and_unfinished_ones_are_left_out() -> None:
    found = articles(
        RawEntry(title="One"), RawEntry(title="Two"), RawEntry(title="Half", partial=True)
    )
    assert [one.title for one in found] == ["One", "Two"]


def test_the_longer_of_body_and_summary_is_the_text() -> None:
    assert article(body="<p>short</p>", summary="much longer").text == "much longer"
    assert article(body="", summary="only", summary_is_html=False).text == "only"
    assert article(body="<img src=x>", summary="").text == ""


def test_an_entry_without_title_keeps_none_and_is_told_apart_by_its_text() -> None:
    first, second = articles(RawEntry(body="One"), RawEntry(body="Two"))
    assert (first.title, second.title) == ("", "")
    assert first.id != second.id


@pytest.mark.parametrize(
    ("link", "base", "url"),
    [
        ("/a", "", "https://www.example.com/a"),
        ("a", "", "https://www.example.com/a"),
        ("a", "https://blog.example.org/x/", "https://blog.example.org/x/a"),
        ("a", "/sub/", "https://www.example.com/sub/a"),
        ("//example.org/a", "", "https://example.org/a"),
    ],
)
def test_a_relative_link_of_an_rss_entry_means_the_feeds_home(
    link: str, base: str, url: str
) -> None:
    assert article(link=link, base=base).url == url


def test_a_relative_link_of_an_atom_entry_means_the_document() -> None:
    feed = ParsedFeed(home_url="https://www.example.com/", format="atom")
    assert article(feed=feed, link="a").url == "https://feeds.example.net/a"


def test_a_document_without_address_resolves_links_by_what_it_says_itself() -> None:
    feed = ParsedFeed(
        self_url="https://example.org/feed/", entries=(RawEntry(link="a"),), format="atom"
    )
    (found,) = normalise(feed, feed_id="f", feed_url="", fetched=FETCHED)
    assert (found.url, found.source) == ("https://example.org/feed/a", "example.org")


def test_a_guid_that_is_a_permalink_is_the_link_where_there_is_none() -> None:
    guid = "https://example.com/story"
    assert article(guid=guid, guid_is_permalink=True).url == guid
    assert article(guid=guid, guid_is_permalink=False).url == ""


def test_an_entry_without_link_has_its_feeds_host_as_source() -> None:
    found = article(title="x")
    assert (found.url, found.source) == ("", "feeds.example.net")
    assert "no link" in found.notes


def test_a_mended_or_overlong_link_is_noted() -> None:
    mended = article(link="https://example.com/?a=1&amp;b=2")
    assert mended.url == "https://example.com/?a=1&b=2"
    assert "link repaired" in mended.notes
    for link in ("https://example.com/" + "a" * 2_000, "https://example.com/" + "é" * 500):
        found = article(link=link)
        assert (found.url, found.canonical_url) == ("", "")
        assert "link too long" in found.notes


@pytest.mark.parametrize(
    ("entry", "feed", "wanted"),
    [
        ("IT-it", "en", "it"),
        ("", "en_US", "en"),
        ("english", "de", "de"),
        ("", "", ""),
        ("fil", "", "fil"),
    ],
)
def test_the_declared_language_is_the_primary_tag_of_entry_or_feed(
    entry: str, feed: str, wanted: str
) -> None:
    assert article(feed=ParsedFeed(language=feed), language=entry).language_declared == wanted


def test_notes_of_the_document_reach_its_articles() -> None:
    found = article(feed=ParsedFeed(notes=("guessed windows-1252",)), title="x")
    assert found.notes == ("no link", "no date", "guessed windows-1252")


def test_what_is_cut_ends_in_an_ellipsis_and_is_noted() -> None:
    limits = ArticleLimits(
        title_chars=10, text_bytes=1_000, author_chars=5, guid_chars=8, tags=2, tag_chars=4
    )
    entry = RawEntry(
        title="A very long title",
        body="é" * 1_000,
        guid="0123456789",
        authors=("Methuselah",),
        tags=("politics", "b", "c"),
    )
    (found,) = articles(entry, limits=limits)
    assert found.title == "A very lo…"
    assert len(found.text.encode()) <= 1_000
    assert found.text.endswith("é…")
    assert found.guid == "0123456…"
    assert found.authors == ("Meth…",)
    assert found.tags == ("pol…", "b")
    assert {"title cut", "text cut", "guid cut"} <= set(found.notes)


def test_a_text_of_nothing_but_quotes_stays_below_the_record_limit() -> None:
    found = article(body='"' * 1_000_000, body_is_html=False)
    assert len(encode(found)) < 600_000
    assert "text cut" in found.notes


def test_html_beyond_the_depth_limit_is_noted() -> None:
    (found,) = articles(
        RawEntry(body="<div>" * 9 + "x" + "</div>" * 9), limits=ArticleLimits(html_depth=8)
    )
    assert (found.text, "simplified" in found.notes) == ("x", True)


def test_the_content_hash_changes_with_words_and_link_but_not_with_dates() -> None:
    first = article(title="One", body="x", published="2026-11-20T10:00:00Z")
    redated = article(title="One", body="x", published="2026-11-21T10:00:00Z")
    edited = article(title="One", body="y", published="2026-11-20T10:00:00Z")
    assert first.content_hash == redated.content_hash
    assert first.content_hash != edited.content_hash


_entry = st.builds(
    RawEntry,
    guid=st.text(max_size=20),
    guid_is_permalink=st.booleans(),
    link=st.text(max_size=30),
    base=st.text(max_size=20),
    title=st.text(max_size=40),
    title_is_html=st.booleans(),
    body=st.text(max_size=80),
    body_is_html=st.booleans(),
    authors=st.tuples(st.text(max_size=20)),
    published=st.text(max_size=20),
    language=st.text(max_size=6),
)


@settings(max_examples=200)
@given(st.lists(_entry, max_size=4), st.text(max_size=20), st.text(max_size=20))
def test_any_entries_become_articles_that_survive_the_wire(
    entries: list[RawEntry], feed_url: str, home_url: str
) -> None:
    parsed = ParsedFeed(home_url=home_url, entries=tuple(entries))
    found = normalise(parsed, feed_id=FEED_ID, feed_url=feed_url, fetched=FETCHED)
    assert len(found) == len(entries)
    for one in found:
        assert decode(Article, encode(one)) == one
        assert one.url == "" or one.url.startswith(("http://", "https://"))
    assert found == normalise(parsed, feed_id=FEED_ID, feed_url=feed_url, fetched=FETCHED)
