"""Row F48: what publishers, readers and links write is text on every page, never markup."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page

from tests.browser.fixtures import IN_BROWSER, browser
from tests.browser.hostile import as_shown, faults_in, hostile_site, texts_of, word
from tests.browser.payloads import LINES, PAYLOADS
from tests.browser.site import EVERYTHING, Site
from tests.browser.watched import Visit, visiting

__all__ = ["browser", "hostile", "visit"]

pytestmark = IN_BROWSER

REFUSED = "status of 4"
"""A page that says what is wrong with a query is a 400, and the console notes every 400."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="hostile")
async def hostile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with hostile_site(tmp_path_factory.mktemp("hostile")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", name="visit")
async def visit(browser: Browser, hostile: Site) -> AsyncIterator[Visit]:
    found = await visiting(browser, hostile.url)
    dialogs: list[str] = []
    found.context.on("dialog", lambda one: dialogs.append(one.message))
    yield found
    await found.context.close()
    assert dialogs == []
    assert found.unexpected() == []


async def read(page: Page, address: str) -> str:
    """The texts of a page; fails where anything in it is not ours."""
    await page.goto(address)
    assert await faults_in(page) == []
    return await texts_of(page)


async def read_all(page: Page, address: str) -> str:
    """The texts of a list, page after page."""
    found = await read(page, address)
    while await (following := page.locator("a[rel=next]")).count():
        async with page.expect_navigation():
            await following.first.click()
        assert await faults_in(page) == []
        found += "\n" + await texts_of(page)
    return found


def missing(text: str) -> list[str]:
    """Names of the payloads that do not stand in ``text``, letter for letter."""
    return [name for name, payload in PAYLOADS.items() if as_shown(payload) not in text]


async def test_titles_authors_tags_and_topics_of_a_search(hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    assert missing(await read_all(page, f"{hostile.url}/?q={quote(EVERYTHING)}")) == []


async def test_every_article(hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    for number, payload in enumerate(PAYLOADS.values()):
        hit = await hostile.first_hit(word(number), sort="oldest")
        text = await read(page, f"{hostile.url}/articles/{hit['id']}")
        assert text.count(as_shown(payload)) >= 2, payload  # title and text


async def test_every_story(hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    for number, payload in enumerate(PAYLOADS.values()):
        hit = await hostile.first_hit(word(number), sort="oldest")
        text = await read(page, f"{hostile.url}/stories/{hit['story_id']}")
        assert as_shown(payload) in text


async def test_every_topic(hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    found = await read_all(page, f"{hostile.url}/topics")
    for one in await hostile.rows("/api/topics", "topics"):
        found += await read(page, f"{hostile.url}/topics/{one['id']}")
        assert as_shown(one["label"]) in found


@pytest.mark.parametrize(
    ("path", "name"),
    [("subscriptions", "name"), ("alerts", "subscription_name"), ("feeds", "title")],
)
async def test_a_list_of_hostile_names(path: str, name: str, hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    text = await read_all(page, f"{hostile.url}/{path}")
    names = [as_shown(one[name]) for one in await hostile.rows(f"/api/{path}", path, size="200")]
    assert len(names) >= len(PAYLOADS)
    assert [one for one in names if one not in text] == []


async def test_every_subscription(hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    for one in await hostile.rows("/api/subscriptions", "subscriptions"):
        text = await read(page, f"{hostile.url}/subscriptions/{one['id']}")
        assert as_shown(one["name"]) in text


@pytest.mark.parametrize(
    "path",
    ["/?q={}", "/?q=a&since={}", "/subscriptions?q={}", "/alerts?state={}", "/alerts?said={}",
     "/topics/{}", "/articles/{}", "/stories/{}", "/subscriptions/{}", "/login?next={}"],
)  # fmt: skip
async def test_what_an_address_says_is_echoed_as_text(
    path: str, hostile: Site, visit: Visit
) -> None:
    visit.allow(REFUSED)
    page = await visit.page()
    for some in LINES:
        await read(page, hostile.url + path.format(quote(some, safe="")))


async def test_a_query_is_echoed_letter_for_letter(hostile: Site, visit: Visit) -> None:
    visit.allow(REFUSED)
    page = await visit.page()
    texts = [await read(page, f"{hostile.url}/?q={quote(some, safe='')}") for some in LINES]
    assert missing("\n".join(texts)) == []


async def test_an_answer_of_the_api_is_no_page(hostile: Site, visit: Visit) -> None:
    page = await visit.page()
    for path in ("/api/search?q=NOT+zzz&size=200", "/api/alerts", "/api/feeds", "/api/topics"):
        answer = await page.goto(hostile.url + path)
        assert answer is not None
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert await page.evaluate("window.ran") is None


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("atom", "application/atom+xml"),
        ("rss", "application/rss+xml"),
        ("json", "application/feed+json"),
    ],
)
async def test_a_search_as_a_feed_runs_nothing_in_a_browser(
    kind: str, content_type: str, hostile: Site, visit: Visit
) -> None:
    page = await visit.page()
    path = f"{hostile.url}/feeds/search.{kind}?q={quote(EVERYTHING)}"
    async with page.expect_event("response") as answer:
        with contextlib.suppress(Error):  # a browser may take it for a download
            await page.goto(path)
    found = await answer.value
    assert found.headers["content-type"].startswith(content_type)
    assert found.headers["x-content-type-options"] == "nosniff"
    assert await page.evaluate("window.ran") is None
