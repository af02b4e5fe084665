"""Pages without JavaScript: reading, searching, subscribing, sending again."""

from __future__ import annotations

import re

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.reader import received, search, send_again, subscribe
from tests.browser.site import BAD, Site
from tests.browser.watched import Visit

pytestmark = IN_BROWSER


@pytest_asyncio.fixture(loop_scope="module")
async def visit(visitor: Visitor) -> Visit:
    return await visitor(java_script_enabled=False)


@pytest_asyncio.fixture(loop_scope="module")
async def page(visit: Visit) -> Page:
    return await visit.page("/")


async def test_a_search_is_narrowed_by_a_facet_and_read_to_its_end(page: Page) -> None:
    await search(page, "arms OR weapons")
    facets = page.get_by_role("complementary", name="Narrow the search")
    await facets.get_by_role("link", name="meridian-wire.example").click()
    await expect(page.get_by_role("searchbox")).to_have_value(re.compile("source:meridian-wire"))
    sources = await page.locator(".list .source").all_inner_texts()
    assert set(sources) == {"meridian-wire.example"}
    await search(page, "NOT zyzzyva")
    pages = 1
    while await (following := page.get_by_role("link", name="Next page")).count():
        async with page.expect_navigation():
            await following.click()
        pages += 1
    assert pages > 5


async def test_from_a_hit_to_its_article_its_story_and_what_was_changed(
    site: Site, page: Page
) -> None:
    hit = await site.first_hit("topic:ceasefire-talks title:corrected")
    await search(page, "topic:ceasefire-talks title:corrected")
    await page.locator(".list .entry h3 a").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("(corrected)")
    await page.get_by_role("link", name="what changed").first.click()
    assert await page.locator(".diff ins").all_inner_texts()
    await page.goto(f"{site.url}/stories/{hit['story_id']}")
    await expect(page.locator(".list .entry").first).to_be_visible()


async def test_a_period_is_a_bar_and_a_row_of_the_table_beside_it(page: Page) -> None:
    await search(page, "truce OR ceasefire")
    await page.get_by_text("As a table").click()
    row = page.locator("figure table tbody tr").first
    count = await row.locator(".number").inner_text()
    await row.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=2).first).to_have_text(f"{count} articles")
    assert "since=" in page.url


async def test_a_wrong_query_is_explained_with_a_caret(visit: Visit, page: Page) -> None:
    visit.allow("status of 400")
    await search(page, 'truce AND ("talks')
    await expect(page.get_by_role("alert")).to_be_visible()
    lines = (await page.locator("pre.caret").inner_text()).splitlines()
    assert lines[0] == 'truce AND ("talks'
    assert lines[1].strip() == "^"
    assert await page.get_by_role("searchbox").get_attribute("aria-invalid") == "true"


async def test_a_subscription_is_made_with_a_preview_and_its_alert_arrives(
    site: Site, page: Page
) -> None:
    to = site.stand.url("/without-script")
    await subscribe(page, site, name="lighthouse", query='lighthouse "Port Ellin"', to=to)
    title = "Lighthouse of Port Ellin lit again"
    site.publish("lighthouse", title, "The lighthouse of Port Ellin shines after nine years.")
    await received(site, "/without-script", title)
    await page.goto(site.url + "/alerts")
    entry = page.locator(".entry", has_text=title)
    await expect(entry.locator(".state")).to_have_text("sent")
    await expect(entry.locator(".why mark").first).to_be_visible()


async def test_a_subscription_is_paused_changed_tested_and_removed(site: Site, page: Page) -> None:
    to = site.stand.url("/changed")
    await subscribe(page, site, name="harvest", query="harvest barley", to=to)
    await page.get_by_role("button", name="Send a test alert").click()
    await expect(page.get_by_role("status").first).to_contain_text("was delivered")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("main .state").first).to_have_text("paused")
    await page.get_by_role("button", name="Resume from now").click()
    await expect(page.locator("main .state").first).to_have_text("active")
    await page.get_by_label("Query").fill("harvest barley wheat")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("main code").first).to_have_text("harvest barley wheat")
    await page.get_by_role("link", name="Remove").click()
    await page.get_by_role("button", name="Remove").click()
    await page.wait_for_url("**/subscriptions*")
    await expect(page.get_by_role("link", name="harvest", exact=True)).to_have_count(0)


async def test_a_subscription_with_a_wrong_query_keeps_what_was_typed(
    site: Site, visit: Visit, page: Page
) -> None:
    visit.allow("status of 400")
    await page.goto(site.url + "/subscriptions")
    await page.get_by_label("Query").fill("truce AND")
    await page.get_by_label("Name", exact=True).fill("half a thought")
    await page.get_by_label("Addresses, one a line").fill("https://hook.example/")
    await page.get_by_role("button", name="Subscribe", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("half a thought")
    await expect(page.get_by_label("Addresses, one a line")).to_have_value("https://hook.example/")


async def test_a_failed_alert_is_sent_again_when_its_receiver_works(site: Site, page: Page) -> None:
    title = "Ferries stop at Port Ellin"
    await page.goto(site.url + "/alerts?state=failed")
    entry = page.locator(".entry", has_text=title)
    await expect(entry.locator(".warning").first).to_contain_text("410")
    site.stand.statuses[BAD] = 204
    await send_again(page, site, failed=title)
    await received(site, BAD, title)
