"""Fixtures of the tests with a browser: Chromium, a Wirewatch with news in it, visitors.

Playwright, the browser and the site live as long as one test module, in one event loop:
such a module says ``pytestmark = IN_BROWSER``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.site import Site, news_site, usual_lists, with_alerts
from tests.browser.watched import Visit, visiting

IN_BROWSER = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)

Visitor = Callable[..., Awaitable[Visit]]


def chromium() -> str:
    """The browser's program. Skips the test, or fails it where a browser is required."""
    names = (os.environ.get("WIREWATCH_CHROMIUM", ""), *NAMES)
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    if found is None:
        reason = "no Chromium: install the distribution's package, or set WIREWATCH_CHROMIUM"
        if os.environ.get("WIREWATCH_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    # Its own sandbox does not start as root, as which containers run.
    more = ("--no-sandbox",) if os.geteuid() == 0 else ()
    program = chromium()
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=program, args=[*ARGUMENTS, *more]
        )
        try:
            yield launched
        finally:
            await launched.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A Wirewatch with ten days of news, subscriptions, and alerts sent and failed."""
    async with news_site(tmp_path_factory.mktemp("site"), before=usual_lists) as found:
        await with_alerts(found)
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(browser: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Makes visitors; at the end none of them may have met a fault."""
    visits: list[Visit] = []

    async def come(**options: Any) -> Visit:
        visits.append(await visiting(browser, site.url, **options))
        return visits[-1]

    yield come
    for one in visits:
        await one.context.close()
    if faults := [fault for one in visits for fault in one.unexpected()]:
        pytest.fail("\n".join(faults))


@pytest_asyncio.fixture(loop_scope="module")
async def page(visitor: Visitor) -> Page:
    """A page of a visitor at a desk."""
    return await (await visitor()).page()
