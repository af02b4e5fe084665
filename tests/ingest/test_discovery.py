from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.discovery import NamedFeed, page_refusal, read_page

PAGE = """<!doctype html><html><head><title>The  Harbour
Post</title><link rel="alternate" type="application/rss+xml" title="All news" href="/all.rss">
<LINK REL='Alternate' TYPE='application/atom+xml; charset=utf-8' HREF='https://b.example/atom'>
<link rel="alternate" type="text/html" hreflang="da" href="/da">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
</head><body><a href="/feed/">feed</a></body></html>"""


def test_declared_feeds_come_resolved_with_their_titles() -> None:
    page = read_page(PAGE, url="https://harbour.example/news/")
    assert page.title == "The Harbour Post"
    assert page.feeds == (
        NamedFeed(url="https://harbour.example/all.rss", title="All news"),
        NamedFeed(url="https://b.example/atom"),
    )


def test_a_base_element_moves_relative_addresses() -> None:
    text = '<base href="https://c.example/x/"><link rel="feed" href="f.json">'
    assert read_page(text, url="https://a.example/").feeds[0].url == "https://c.example/x/f.json"


def test_links_that_look_like_feeds_serve_where_none_is_declared() -> None:
    text = '<a href="/rss.xml?x=1">RSS</a><a href="/about">About</a><a href="/news/feed/">F</a>'
    urls = [feed.url for feed in read_page(text, url="https://a.example/").feeds]
    assert urls == ["https://a.example/rss.xml?x=1", "https://a.example/news/feed/"]


def test_a_page_that_names_feeds_offers_them() -> None:
    error = page_refusal(PAGE, url="https://harbour.example/")
    assert error.code == "html-page"
    assert error.sentence == (
        "This is a web page, not a feed; found 2 feeds in it: "
        "https://harbour.example/all.rss, https://b.example/atom"
    )
    assert "https://harbour.example/all.rss" in error.hint


def test_a_page_without_feeds_says_its_title() -> None:
    error = page_refusal("<html><title>404 – gone</title><body>No.</body></html>")
    assert error.code == "html-page"
    assert "(“404 – gone”)" in error.sentence


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("<title>Just a moment...</title><script src=/cdn-cgi/challenge-platform/x>", "Cloudflare"),
        ("<html><script src='https://geo.captcha-delivery.com/c.js'></script>", "DataDome"),
        ('<html><div class="g-recaptcha"></div></html>', "CAPTCHA"),
    ],
)
def test_challenge_pages_are_known_by_who_sends_them(text: str, sender: str) -> None:
    error = page_refusal(text)
    assert error.code == "blocked-by-challenge"
    assert f"blocked by {sender} challenge" in error.sentence
    assert error.retry


def test_a_login_page_is_called_one() -> None:
    error = page_refusal('<html><form action="/session"><input type="password"></form></html>')
    assert error.code == "login-page"


@given(st.text(alphabet="<>/=\"'ahreflinkbstyp! -&#;[]", max_size=200))
def test_no_page_raises(text: str) -> None:
    page_refusal(text, url="https://[broken")
