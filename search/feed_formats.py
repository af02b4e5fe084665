"""A list of articles as Atom, RSS and JSON Feed: well-formed and harmless whatever they say.

Titles and summaries are plain text. What only looks like markup stays visible as it is: Atom and
JSON Feed say so, and for readers of RSS, who take everything for HTML, it is escaped once more.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import NAMESPACE_URL, uuid5

from ingest.wire import format_time

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One article; ``key`` is what its id is made of and never changes."""

    key: str
    title: str
    url: str
    summary: str = ""
    source: str = ""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    language: str = ""
    published: datetime | None = None
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """A feed: where it lies (``url``), the page that shows the same, and its entries."""

    title: str
    url: str
    page: str
    entries: tuple[FeedEntry, ...] = ()

    @property
    def updated(self) -> datetime:
        """When the last of its entries changed."""
        return max((one.updated for one in self.entries), default=_EPOCH)


def urn(key: str) -> str:
    """The id of what ``key`` names: the same everywhere and for ever."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:wirewatch:{key}')}"


def atom(feed: FeedDocument) -> bytes:
    """``feed`` as Atom (RFC 4287)."""
    return _xml(
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        _tag("title", feed.title),
        _tag("id", urn(f"search:{feed.title}")),
        _tag("updated", format_time(feed.updated)),
        f'<link rel="self" type="application/atom+xml" href="{_safe(feed.url)}"/>',
        f'<link rel="alternate" type="text/html" href="{_safe(feed.page)}"/>',
        "<author><name>Wirewatch</name></author>",
        *(line for one in feed.entries for line in _atom_entry(one)),
        "</feed>",
    )


def _atom_entry(one: FeedEntry) -> Iterator[str]:
    yield f'<entry xml:lang="{_safe(one.language)}">' if one.language else "<entry>"
    yield _tag("id", urn(f"article:{one.key}"))
    yield _tag("title", one.title or "(no title)")
    yield f'<link rel="alternate" href="{_safe(one.url)}"/>'
    yield _tag("updated", format_time(one.updated))
    if one.published:
        yield _tag("published", format_time(one.published))
    for name in one.authors or (one.source or "unknown",):
        yield f"<author>{_tag('name', name)}</author>"
    yield from (f'<category term="{_safe(topic)}"/>' for topic in one.topics)
    if one.summary:
        yield _tag("summary", one.summary)
    yield "</entry>"


def rss(feed: FeedDocument) -> bytes:
    """``feed`` as RSS 2.0."""
    return _xml(
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>',
        _tag("title", _for_html(feed.title)),
        _tag("link", feed.page),
        _tag("description", _for_html(f"Articles found by: {feed.title}")),
        _tag("lastBuildDate", format_datetime(feed.updated, usegmt=True)),
        f'<atom:link rel="self" type="application/rss+xml" href="{_safe(feed.url)}"/>',
        *(line for one in feed.entries for line in _rss_item(one)),
        "</channel></rss>",
    )


def _rss_item(one: FeedEntry) -> Iterator[str]:
    yield "<item>"
    yield _tag("title", _for_html(one.title or "(no title)"))
    yield _tag("link", one.url)
    yield f'<guid isPermaLink="false">{urn(f"article:{one.key}")}</guid>'
    yield _tag("pubDate", format_datetime(one.published or one.updated, usegmt=True))
    yield from (_tag("dc:creator", _for_html(name)) for name in one.authors)
    yield from (_tag("category", topic) for topic in one.topics)
    if one.summary:
        yield _tag("description", _for_html(one.summary))
    yield "</item>"


def json_feed(feed: FeedDocument) -> bytes:
    """``feed`` as JSON Feed 1.1."""
    found = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.url,
        "items": [_json_item(one) for one in feed.entries],
    }
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")


def _json_item(one: FeedEntry) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": urn(f"article:{one.key}"),
        "url": one.url,
        "title": one.title,
        "content_text": one.summary or one.title,
        "date_published": format_time(one.published or one.updated),
        "date_modified": format_time(one.updated),
        "tags": list(one.topics),
    }
    if one.authors:
        shown["authors"] = [{"name": name} for name in one.authors]
    if one.language:
        shown["language"] = one.language
    return shown


def _xml(*lines: str) -> bytes:
    return "\n".join(('<?xml version="1.0" encoding="utf-8"?>', *lines, "")).encode()


def _tag(name: str, text: str) -> str:
    return f"<{name}>{_safe(text)}</{name}>"


def _safe(text: str) -> str:
    return html.escape(_ILLEGAL.sub("", text))


def _for_html(text: str) -> str:
    """``text`` so that a reader who takes it for HTML shows it as it is."""
    is_mistaken = "<" in text or html.unescape(text) != text
    return html.escape(text, quote=False) if is_mistaken else text
