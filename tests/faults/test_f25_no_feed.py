"""F25: a body that is no feed is never taken for a feed without news; the sentence says what."""

from __future__ import annotations

import pytest

from ingest.errors import UnreadableError
from ingest.parse import parse_feed

PAGE = (
    "<!DOCTYPE html><html><head><title>Harbour</title>"
    '<link rel="alternate" type="application/rss+xml" href="/rss">'
    '<link rel="alternate" type="application/atom+xml" href="/atom">'
    "</head><body>{}</body></html>"
)

OFFER = (
    "This is a web page, not a feed; found 2 feeds in it: "
    "https://h.example/rss, https://h.example/atom"
)

BODIES = [
    ("", "empty", "The body is empty."),
    ("\n \n", "empty", "The body is empty."),
    (
        PAGE.format(""),
        "html-page",
        OFFER,
    ),
    (
        "<html><title>404</title></html>",
        "html-page",
        "This is a web page, not a feed (“404”); found no feeds in it.",
    ),
    (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
        "html-page",
        "This is a web page, not a feed; found no feeds in it.",
    ),
    (
        '<html><form action="/login"><input name="p" type="password"></form></html>',
        "login-page",
        "This is a login page, not a feed.",
    ),
    (
        PAGE.format('<script src="/cdn-cgi/challenge-platform/h/b"></script>'),
        "blocked-by-challenge",
        "This is a web page, not a feed: blocked by Cloudflare challenge.",
    ),
    (
        '{"error": "rate limit exceeded"}',
        "json-error",
        "This is a JSON answer, not a feed: “rate limit exceeded”.",
    ),
    ("upstream connect error", "not-a-feed", "This is text, not a feed."),
    (
        "<Error><Code>AccessDenied</Code></Error>",
        "not-a-feed",
        "This is an error message, not a feed.",
    ),
]

TYPES = ("", "application/rss+xml", "text/html; charset=utf-8", "application/json", "text/plain")


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize(("body", "code", "sentence"), BODIES)
def test_f25_body_that_is_no_feed_is_refused_by_what_it_is(
    body: str, code: str, sentence: str, content_type: str
) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_feed(body.encode(), content_type=content_type, url="https://h.example/feed")
    assert (caught.value.code, caught.value.sentence) == (code, sentence)
    assert caught.value.hint


@pytest.mark.parametrize("content_type", TYPES)
def test_f25_a_feed_is_a_feed_whatever_its_content_type(content_type: str) -> None:
    body = b"<rss><channel><item><title>One</title></item></channel></rss>"
    assert len(parse_feed(body, content_type=content_type).entries) == 1
