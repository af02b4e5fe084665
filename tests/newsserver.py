"""A small news site for tests: what each path answers is set by the test, requests are kept.

async with NewsServer() as site:
    site.answer("/feed", rss(item("1", "Ferry runs again")))
    site.url("/feed")
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from aiohttp import web

from tests.local_server import LocalServer

Script = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Page:
    """What a path answers; ``etags`` makes it honour If-None-Match."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    honours_etag: bool = False


class NewsServer(LocalServer):
    """Listens on 127.0.0.1, at a port the system chooses."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.scripts: dict[str, Script] = {}
        self.requests: dict[str, list[dict[str, str]]] = {}
        self.busy = 0
        self.busiest = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._handle)]

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def answer(
        self,
        path: str,
        body: str | bytes = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        seconds: float = 0.0,
        etag: str = "",
    ) -> None:
        """From now on ``path`` answers so; with ``etag`` it says 304 where the client has it."""
        all_headers = {"Content-Type": "application/rss+xml"} | dict(headers or {})
        if etag:
            all_headers["ETag"] = etag
        raw = body.encode() if isinstance(body, str) else body
        self.pages[path] = Page(raw, status, all_headers, seconds, bool(etag))

    def script(self, path: str, answer: Script) -> None:
        """From now on ``answer`` decides what ``path`` answers."""
        self.scripts[path] = answer

    def count(self, path: str) -> int:
        """How many requests ``path`` had."""
        return len(self.requests.get(path, ()))

    def total(self) -> int:
        """How many requests there were."""
        return sum(map(len, self.requests.values()))

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.path_qs
        self.requests.setdefault(path, []).append(dict(request.headers))
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            if path in self.scripts:
                return await self.scripts[path](request)
            page = self.pages.get(path) or Page(
                b"nothing here", 404, {"Content-Type": "text/plain"}
            )
            await asyncio.sleep(page.seconds)
            etag = page.headers.get("ETag", "")
            if page.honours_etag and request.headers.get("If-None-Match") == etag:
                return web.Response(status=304, headers={"ETag": etag})
            return web.Response(status=page.status, body=page.body, headers=page.headers)
        finally:
            self.busy -= 1


def item(
    guid: str | None,
    title: str,
    *,
    link: str | None = None,
    text: str = "",
    published: datetime | str | None = None,
) -> str:
    """One RSS item."""
    parts = [f"<title>{escape(title)}</title>"]
    if guid is not None:
        parts.append(f'<guid isPermaLink="false">{escape(guid)}</guid>')
    if link is not None:
        parts.append(f"<link>{escape(link)}</link>")
    if text:
        parts.append(f"<description>{escape(text)}</description>")
    if published is not None:
        date = published if isinstance(published, str) else format_datetime(published)
        parts.append(f"<pubDate>{escape(date)}</pubDate>")
    return f"<item>{''.join(parts)}</item>"


def rss(
    *items: str, title: str = "Harbour news", home: str = "https://harbour.example/", more: str = ""
) -> str:
    """An RSS document."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>{escape(home)}</link>{more}{''.join(items)}"
        "</channel></rss>"
    )
