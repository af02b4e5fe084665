"""The sample newsroom: fictional outlets on loopback whose feeds grow while one watches.

Every start stamps guids and dates anew, so every start brings news. The outlets live under
``.example`` (RFC 2606) and their articles are our own writing, in ``deploy/sample``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from importlib.resources import files
from typing import Annotated, Any
from xml.sax.saxutils import escape

import yaml
from aiohttp import web
from pydantic import Field, TypeAdapter

from ingest.wire import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A later text of an article."""

    at: float
    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleArticle:
    """One article of an outlet; ``at`` is seconds from the start, negative: out already."""

    id: str
    at: float
    title: str
    text: str
    author: str = ""
    tags: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A fictional outlet and the feed format it speaks."""

    outlet: str
    host: str
    format: Annotated[str, Field(pattern="^(rss|atom|json)$")]
    language: str
    articles: tuple[SampleArticle, ...]

    @property
    def path(self) -> str:
        """Where the newsroom serves its feed."""
        ending = "json" if self.format == "json" else "xml"
        return f"/{self.host.removesuffix('.example')}/feed.{ending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article as it stands at one moment."""

    guid: str
    url: str
    title: str
    text: str
    author: str
    tags: tuple[str, ...]
    published: datetime
    updated: datetime


def load_outlets() -> tuple[Outlet, ...]:
    """The outlets that ship with Wirewatch."""
    folder = files("deploy") / "sample"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    adapter = TypeAdapter(Outlet)
    return tuple(adapter.validate_python(yaml.safe_load(f.read_text("utf-8"))) for f in found)


def items_at(outlet: Outlet, *, start: datetime, now: datetime) -> list[Item]:
    """What the outlet's feed holds at ``now``, newest first."""
    elapsed = (now - start).total_seconds()
    found = [_item(outlet, one, start=start, elapsed=elapsed) for one in outlet.articles]
    present = [item for item in found if item.published <= now]
    return sorted(present, key=lambda item: item.published, reverse=True)


def _item(outlet: Outlet, article: SampleArticle, *, start: datetime, elapsed: float) -> Item:
    edits = [edit for edit in article.edits if edit.at <= elapsed]
    title = next((e.title for e in reversed(edits) if e.title), article.title)
    text = next((e.text for e in reversed(edits) if e.text), article.text)
    published = start + timedelta(seconds=article.at)
    stamp = f"{start:%Y%m%d%H%M%S}"
    return Item(
        guid=f"tag:{outlet.host},{start:%Y-%m-%d}:{stamp}/{article.id}",
        url=f"https://{outlet.host}/{start:%Y/%m/%d}/{article.id}-{stamp}",
        title=title,
        text=text.strip(),
        author=article.author,
        tags=article.tags,
        published=published,
        updated=start + timedelta(seconds=edits[-1].at) if edits else published,
    )


def render(outlet: Outlet, items: Sequence[Item]) -> tuple[bytes, str]:
    """The feed body and its content type."""
    if outlet.format == "rss":
        return _rss(outlet, items).encode(), "application/rss+xml; charset=utf-8"
    if outlet.format == "atom":
        return _atom(outlet, items).encode(), "application/atom+xml; charset=utf-8"
    return json.dumps(
        _json_feed(outlet, items), ensure_ascii=False
    ).encode(), "application/feed+json"


def _html(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n") if part.strip())


def _rss(outlet: Outlet, items: Sequence[Item]) -> str:
    parts = [
        f"<item><guid isPermaLink='false'>{escape(i.guid)}</guid><title>{escape(i.title)}</title>"
        f"<link>{escape(i.url)}</link><pubDate>{format_datetime(i.published)}</pubDate>"
        f"<dc:creator>{escape(i.author)}</dc:creator>"
        + "".join(f"<category>{escape(tag)}</category>" for tag in i.tags)
        + f"<description>{escape(_html(i.text))}</description></item>"
        for i in items
    ]
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' "
        "xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
        f"<title>{escape(outlet.outlet)}</title><link>https://{outlet.host}/</link>"
        f"<description>A fictional outlet.</description><language>{outlet.language}</language>"
        + "".join(parts)
        + "</channel></rss>"
    )


def _atom(outlet: Outlet, items: Sequence[Item]) -> str:
    parts = [
        f"<entry><id>{escape(i.guid)}</id><title>{escape(i.title)}</title>"
        f"<link href='{escape(i.url)}'/><published>{format_time(i.published)}</published>"
        f"<updated>{format_time(i.updated)}</updated><author><name>{escape(i.author)}</name></author>"
        + "".join(f"<category term='{escape(tag)}'/>" for tag in i.tags)
        + f"<content type='html'>{escape(_html(i.text))}</content></entry>"
        for i in items
    ]
    updated = format_time(items[0].updated) if items else "2026-01-01T00:00:00.000Z"
    return (
        f"<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom' "
        f"xml:lang='{outlet.language}'><id>https://{outlet.host}/</id>"
        f"<title>{escape(outlet.outlet)}</title><updated>{updated}</updated>"
        f"<link href='https://{outlet.host}/'/>" + "".join(parts) + "</feed>"
    )


def _json_feed(outlet: Outlet, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.outlet,
        "home_page_url": f"https://{outlet.host}/",
        "language": outlet.language,
        "items": [
            {
                "id": i.guid,
                "url": i.url,
                "title": i.title,
                "content_html": _html(i.text),
                "date_published": format_time(i.published),
                "date_modified": format_time(i.updated),
                "authors": [{"name": i.author}],
                "tags": list(i.tags),
            }
            for i in items
        ],
    }


class Newsroom:
    """Serves every outlet's feed on a free loopback port."""

    def __init__(self, outlets: Sequence[Outlet], *, start: datetime) -> None:
        self._outlets = tuple(outlets)
        self._start = start
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen; ``port`` and ``feed_urls`` are known afterwards."""
        app = web.Application()
        for outlet in self._outlets:
            app.router.add_get(outlet.path, self._feed)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    @property
    def feed_urls(self) -> list[str]:
        """One URL an outlet."""
        return [f"http://127.0.0.1:{self.port}{outlet.path}" for outlet in self._outlets]

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _feed(self, request: web.Request) -> web.Response:
        outlet = next(o for o in self._outlets if o.path == request.path)
        now = datetime.now(self._start.tzinfo)
        body, kind = render(outlet, items_at(outlet, start=self._start, now=now))
        return web.Response(body=body, headers={"Content-Type": kind})
