"""What a web page at a feed's address is, and which feeds it names.

Publishers answer with pages where a feed was: moved, blocked, or behind a login. The sentence
says which, and offers the feeds that the page itself names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

from ingest.errors import UnreadableError

MAX_PAGE: Final = 1_000_000
"""Characters of a page that are looked at; feeds are named in its head."""
MAX_FEEDS: Final = 10
"""Feeds named by one page that are offered; more is a directory."""

_FEED_TYPES: Final = frozenset(
    (
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/xml",
        "text/xml",
    )
)
_FEED_PATH: Final = re.compile(
    r"(?:\.(?:rss|atom|rdf)|/(?:feed|rss|atom)(?:\.xml|\.json|/)?|/(?:index|feeds?|rss|atom)\.xml)$",
    re.IGNORECASE,
)
# Words in the head of a challenge page, by who sends it.
_CHALLENGES: Final = (
    ("Cloudflare", ("cf-browser-verification", "cf_chl_", "challenge-platform", "cf-challenge")),
    ("Cloudflare", ("attention required! | cloudflare", "just a moment...", "cf-error-details")),
    ("DataDome", ("captcha-delivery.com", "geo.captcha-delivery")),
    ("Imperva", ("_incapsula_resource", "incapsula incident id")),
    ("PerimeterX", ("px-captcha", "_pxappid")),
    ("Akamai", ("errors.edgesuite.net",)),
    ("AWS WAF", ("awswafintegration", "aws-waf-token", "gokuprops")),
    ("Sucuri", ("sucuri website firewall", "sucuri_cloudproxy")),
    ("Anubis", ("making sure you&#39;re not a bot", "making sure you're not a bot")),
    ("CAPTCHA", ("g-recaptcha", "h-captcha", "hcaptcha.com/1/api", "cf-turnstile")),
)
_LOGIN: Final = re.compile(
    r"<input[^>]{0,200}type\s*=\s*[\"']?password|<form[^>]{0,200}(?:log-?in|sign-?in|auth)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFeed:
    """A feed that a web page names: its address and what the page calls it."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A web page, as far as finding feeds goes."""

    title: str
    feeds: tuple[NamedFeed, ...]


class _PageReader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = url
        self.title = ""
        self.in_title = False
        self.declared: dict[str, str] = {}
        self.linked: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("base", "link", "a", "title"):
            return
        values = {name: value or "" for name, value in attrs}
        href = values.get("href", "").strip()
        if tag == "title":
            self.in_title = not self.title
        elif tag == "base" and href:
            self.base = _absolute(self.base, href)
        elif tag == "link" and href:
            self._declare(values, href)
        elif href and _FEED_PATH.search(href.split("?")[0]):
            self.linked.setdefault(_absolute(self.base, href), values.get("title", ""))

    def _declare(self, values: dict[str, str], href: str) -> None:
        relations = values.get("rel", "").lower().split()
        kind = values.get("type", "").lower().split(";")[0].strip()
        if "feed" in relations or ("alternate" in relations and kind in _FEED_TYPES):
            self.declared.setdefault(_absolute(self.base, href), values.get("title", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self.in_title = False

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.title += data


def read_page(text: str, *, url: str = "") -> Page:
    """The title of the HTML page ``text`` and the feeds it names, declared ones first."""
    reader = _PageReader(url)
    reader.feed(text[:MAX_PAGE])
    found = reader.declared or reader.linked
    feeds = tuple(
        NamedFeed(url=address, title=" ".join(title.split())[:300])
        for address, title in found.items()
        if not urlsplit(address).scheme or address.startswith(("http://", "https://"))
    )
    return Page(title=" ".join(reader.title.split())[:300], feeds=feeds[:MAX_FEEDS])


def page_refusal(text: str, *, url: str = "") -> UnreadableError:
    """Why the HTML page ``text`` cannot be read as a feed, and what to do instead."""
    start = text[:100_000].lower()
    for sender, signs in _CHALLENGES:
        if any(sign in start for sign in signs):
            return _challenge(sender)
    page = read_page(text, url=url)
    if page.feeds:
        return _offer(page.feeds)
    if _LOGIN.search(text[:MAX_PAGE]):
        return UnreadableError(
            "login page",
            sentence="This is a login page, not a feed.",
            hint="The feed may need an account; look for a private feed address that holds a key.",
            code="login-page",
        )
    named = f" (“{page.title}”)" if page.title else ""
    return UnreadableError(
        "web page",
        sentence=f"This is a web page, not a feed{named}; found no feeds in it.",
        hint="Look for an RSS link on the site and add that address.",
        code="html-page",
    )


def _challenge(sender: str) -> UnreadableError:
    return UnreadableError(
        f"challenge page by {sender}",
        sentence=f"This is a web page, not a feed: blocked by {sender} challenge.",
        hint="The site wants a browser to answer; ask the publisher to let feed readers through.",
        code="blocked-by-challenge",
        retry=True,
    )


def _offer(feeds: tuple[NamedFeed, ...]) -> UnreadableError:
    count = "1 feed" if len(feeds) == 1 else f"{len(feeds)} feeds"
    named = ", ".join(feed.url for feed in feeds)
    return UnreadableError(
        "web page that names feeds",
        sentence=f"This is a web page, not a feed; found {count} in it: {named}",
        hint=f"Add it instead: wirewatch feeds add {feeds[0].url}",
        code="html-page",
    )


def _absolute(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:  # such as an unfinished IPv6 host
        return href
