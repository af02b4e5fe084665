from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.urls import canonical_url, is_repaired, resolve_link, source_of

CANONICAL = "https://example.com/news/story-1?id=7&page=2"


@pytest.mark.parametrize(
    "spelling",
    [
        "https://example.com/news/story-1?id=7&page=2",
        "http://example.com/news/story-1?id=7&page=2",
        "HTTPS://WWW.Example.COM:443/news/story-1/?id=7&page=2",
        "http://example.com:80/news/story-1?id=7&page=2#comments",
        "https://user:word@example.com/news/story-1?id=7&page=2",
        "https://www.example.com./news/story-1?id=7&page=2",
        "https://example.com/news/./old/../story%2D1?id=7&page=2",
        "  https://example.com/news/sto\nry-1?id=7&page=2 ",
        "https:/example.com/news/story-1?id=7&page=2",
        "https:\\\\example.com\\news\\story-1?id=7&page=2",
        "https://example.com/news/story-1;jsessionid=0AF3?id=7&page=2",
        "https://example.com/news/story-1?utm_source=rss&id=7&utm_medium=feed&page=2",
        "https://example.com/news/story-1?id=7&fbclid=abc&page=2&at_medium=RSS&at_campaign=X",
        "https://example.com/news/story-1?id=7&page=2&CMP=share&ns_mchannel=rss&xtor=RSS-1",
        "https://example.com/news/story-1?&id=7&&page=2&ref=rss&source=rss_news&mod=RSS",
    ],
)
def test_every_spelling_of_a_url_has_one_canonical_form(spelling: str) -> None:
    assert canonical_url(spelling) == CANONICAL


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://example.com//", "https://example.com/"),
        ("https://example.com/../..", "https://example.com/"),
        ("http://example.com:8080/a", "https://example.com:8080/a"),
        ("https://example.com/A/b", "https://example.com/A/b"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?b=2&a=1"),
        ("https://example.com/a?q=%c3%a9+x%20y", "https://example.com/a?q=%C3%A9+x%20y"),
        ("https://example.com/é ü", "https://example.com/%C3%A9%20%C3%BC"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/%2%35", "https://example.com/%2525"),
        ("https://example.com/a%2Fb", "https://example.com/a%2Fb"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://ＥＸＡＭＰＬＥ.com/", "https://example.com/"),
        ("https://[2001:DB8::0:1]/x", "https://[2001:db8::1]/x"),
        ("https://www.com/", "https://www.com/"),
        ("https://www.www.example.com/", "https://example.com/"),
        ("https://example.com/?feed=rss2", "https://example.com/?feed=rss2"),
        ("https://example.com/?mod=5&ref=home", "https://example.com/?mod=5&ref=home"),
    ],
)
def test_canonical_form_follows_rfc_3986_and_keeps_what_identifies(url: str, wanted: str) -> None:
    assert canonical_url(url) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "", "42", "example.com/x", "/x", "ftp://example.com/x", "javascript:alert(1)",
        "data:text/html,x", "mailto:a@example.com", "https://", "https:///", "https://a b/",
        "https://[::1/", "https://[::zz]/", "https://[v1.a:b]/", "https://example.com:99999/", "https://exa%00mple.com/",
        "https://exa%2Fmple.com/", "https://" + "a" * 300 + ".com/", "https://xn--a\u0308\u0308.com",
    ],
)  # fmt: skip
def test_what_is_no_web_address_has_no_canonical_form_and_no_source(url: str) -> None:
    assert canonical_url(url) == ""
    assert source_of(url) == ""
    assert resolve_link(url) == ""


@given(st.text(max_size=60))
def test_canonical_form_of_any_text_is_a_fixed_point(text: str) -> None:
    once = canonical_url(text)
    assert canonical_url(once) == once


@given(
    st.from_regex(
        r"https?://(www\.)?[a-z0-9.-]{1,12}(:\d{1,5})?(/[ -~é%.]{0,20}){0,3}(\?[ -~%&=é]{0,20})?",
        fullmatch=True,
    )
)
def test_canonical_form_of_a_url_is_an_ascii_fixed_point_with_the_same_source(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once
    assert once.isascii()
    assert source_of(once) == source_of(url)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_resolved_link_is_http_or_nothing_and_resolves_to_itself(link: str, base: str) -> None:
    found = resolve_link(link, base)
    assert found == "" or found.startswith(("http://", "https://"))
    assert found.isascii()
    assert resolve_link(found) == found
    assert canonical_url(found) == "" or source_of(found) != ""


def test_the_source_is_the_host_without_www() -> None:
    assert source_of("https://WWW.BBC.co.uk/news") == "bbc.co.uk"
    assert source_of("http://feeds.example.com:8080/x") == "feeds.example.com"


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("/news/1", "https://example.com/news/1"),
        ("2.html", "https://example.com/blog/2.html"),
        ("?p=3", "https://example.com/blog/feed.xml?p=3"),
        ("//cdn.example.net/x", "https://cdn.example.net/x"),
        ("www.example.org/y", "https://www.example.org/y"),
        ("http:/example.org/y", "http://example.org/y"),
        ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        ("https://example.org/?a=1&amp;amp;b=2", "https://example.org/?a=1&b=2"),
        ("https://example.org/?a=1&#038;b=2", "https://example.org/?a=1&b=2"),
        ("https://example.org/?a=1&copy=2", "https://example.org/?a=1&copy=2"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("\n  https://example.org/a\n\tb  ", "https://example.org/ab"),
        ("https://me:secret@example.org/x", "https://example.org/x"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("https://example.org/#frag", "https://example.org/#frag"),
    ],
)
def test_a_link_is_resolved_and_mended(link: str, wanted: str) -> None:
    assert resolve_link(link, "https://example.com/blog/feed.xml") == wanted


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", " java\nscript:alert(1)",
        "\x01javascript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd",
        "feed:x", "about:blank", "urn:uuid:1", "tag:example.com,2026:1",
    ],
)  # fmt: skip
def test_a_link_of_another_scheme_is_not_shown(link: str) -> None:
    assert resolve_link(link, "https://example.com/") == ""


def test_a_backslash_cannot_hide_the_host_that_opens() -> None:
    shown = resolve_link("https://good.example\\@evil.example/x")
    assert shown == "https://good.example/@evil.example/x"
    assert source_of(shown) == "good.example"


def test_a_relative_link_without_base_is_not_shown() -> None:
    assert resolve_link("/news/1") == ""
    assert resolve_link("news", "https://[broken") == ""


def test_a_mended_link_is_told_from_one_that_is_only_relative() -> None:
    assert is_repaired("https://example.com/?a=1&amp;b=2")
    assert is_repaired("www.example.com/x")
    assert is_repaired("https://example.com/a b")
    assert not is_repaired(" https://example.com/x ")
    assert not is_repaired("/x")
