"""Pages whose console, requests and errors are watched: a test with any fault in them fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
ABANDONED = "net::ERR_ABORTED"
"""What a request ends with that its page gave up: a stream at the end, a check overtaken."""

SCHEMES_WITHOUT_HOST = ("about", "blob", "data")


@dataclass(kw_only=True)
class Visit:
    """A browser context of one visitor to ``url``; ``faults`` is what must stay empty."""

    context: BrowserContext
    url: str
    faults: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.context.on("page", self._watch)

    async def page(self, path: str = "") -> Page:
        """A new page, at ``path`` where one is given."""
        page = await self.context.new_page()
        if path:
            await page.goto(self.url + path)
        return page

    def allow(self, *words: str) -> None:
        """Faults with one of these words in them are meant to happen.

        Chromium lists the status of a page that answers 400 or 401 as an error, whatever it shows.
        """
        self.allowed += words

    def unexpected(self) -> list[str]:
        """Every fault that nobody allowed."""
        return [one for one in self.faults if not any(word in one for word in self.allowed)]

    def _watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            place = message.location.get("url", "")
            self.faults.append(f"console {message.type}: {message.text} ({place})")

    def _asked(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.netloc != urlsplit(self.url).netloc and asked.scheme not in SCHEMES_WITHOUT_HOST:
            self.faults.append(f"asked another host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != ABANDONED:
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")


async def visiting(browser: Browser, url: str, **options: Any) -> Visit:
    """A visitor with cookies of their own; ``options`` are those of a Playwright context."""
    given: dict[str, Any] = DESKTOP | options
    context = await browser.new_context(**given)
    context.set_default_timeout(30_000)
    return Visit(context=context, url=url)
