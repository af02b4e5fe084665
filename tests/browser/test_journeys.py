"""What a reader does in an hour: search, star, subscribe, receive, send again, add a feed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.reader import received, search, send_again, subscribe
from tests.browser.routes import QUERY
from tests.browser.site import BAD, HOME, Site, until
from tests.browser.watched import PHONE

pytestmark = IN_BROWSER


async def test_the_query_is_checked_while_it_is_typed(site: Site, page: Page) -> None:
    await page.goto(site.url + "/")
    field, check = page.get_by_role("searchbox"), page.locator("#check")
    await field.press_sequentially("truce AND (talks")
    await expect(check.locator("pre.caret")).to_be_visible()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await field.press_sequentially(")")
    await expect(check).to_contain_text("Understood")
    await expect(field).not_to_have_attribute("aria-invalid", "true")


async def test_the_caret_stands_below_the_fault(site: Site, page: Page) -> None:
    await page.goto(site.url + "/")
    await page.get_by_role("searchbox").fill("truce NEAR/x talks")
    shown = page.locator("#check pre.caret")
    await expect(shown).to_be_visible()
    query, pointer = (await shown.inner_text()).splitlines()
    assert query == "truce NEAR/x talks"
    assert query[pointer.index("^")] in "NEAR/x"


async def test_a_search_is_narrowed_by_a_facet_and_widened_again(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    facets = page.get_by_role("complementary", name="Narrow the search")
    await facets.get_by_role("link", name="delta-post.example").click()
    await expect(page.locator(".list .source").first).to_have_text("delta-post.example")
    assert set(await page.locator(".list .source").all_inner_texts()) == {"delta-post.example"}
    await facets.get_by_role("link", name="delta-post.example").click()
    await expect(page.get_by_role("searchbox")).to_have_value("truce OR ceasefire")


async def test_a_stretch_of_the_histogram_is_brushed(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    bars = page.locator(".histogram svg a")
    first, last = await bars.nth(4).bounding_box(), await bars.nth(9).bounding_box()
    assert first is not None
    assert last is not None
    wanted = [
        await bars.nth(4).get_attribute("data-start"),
        await bars.nth(9).get_attribute("data-end"),
    ]
    counts = [
        int((await bars.nth(one).get_attribute("aria-label") or "").rsplit(": ")[-1])
        for one in range(4, 10)
    ]
    await page.mouse.move(first["x"] + 2, first["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(last["x"] + 2, last["y"] + 20, steps=8)
    await page.mouse.up()
    await page.wait_for_url("**since=*")
    asked = parse_qs(urlsplit(page.url).query)
    assert [*asked["since"], *asked["until"]] == wanted
    await expect(page.locator("#hits-title")).to_contain_text(f"{sum(counts)} article")


async def test_a_bar_is_a_link_to_its_period(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    bar = page.locator(".histogram svg a:not([aria-label$=': 0'])").first
    count = (await bar.get_attribute("aria-label") or "").rsplit(": ")[-1]
    await bar.locator("rect.room").click()
    await page.wait_for_url("**since=*")
    await expect(page.locator("#hits-title")).to_contain_text(f"{count} article")


async def test_an_article_is_starred_where_it_is_listed_and_stays_so(
    site: Site, page: Page
) -> None:
    await page.goto(site.url + QUERY)
    star = page.locator(".list .entry [data-star]").first
    await star.click()
    await expect(star).to_have_attribute("aria-pressed", "true")
    await page.reload()
    await expect(page.locator(".list .entry [data-star]").first).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.keyboard.press("j")
    await page.keyboard.press("s")
    await expect(star).to_have_attribute("aria-pressed", "false")


async def test_an_opened_article_counts_as_read(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    title = page.locator(".list .entry:not(.read) h3 a").last
    href = await title.get_attribute("href")
    await title.click()
    await page.wait_for_url(f"**{href}")

    async def is_read() -> bool:
        await page.goto(site.url + QUERY)
        return bool(await page.locator(f".list .entry.read a[href='{href}']").count())

    await until(is_read)


async def test_what_was_subscribed_to_arrives_on_the_open_page_and_at_the_receiver(
    site: Site, visitor: Visitor
) -> None:
    visit = await visitor()
    watching = await visit.page("/alerts")
    await expect(watching.locator("#live")).to_contain_text("as they happen")
    page = await visit.page("/")
    await search(page, "observatory Sule")
    await page.get_by_text("Nothing was found").wait_for()
    await subscribe(
        page, site, name="observatory", query="observatory Sule", to=site.stand.url("/live")
    )
    title = "Observatory of Sule reopens"
    site.publish("observatory", title, "The observatory above Sule opens its dome again.")
    await expect(watching.locator(".entry", has_text=title).first).to_be_visible(timeout=30_000)
    await received(site, "/live", title)
    await expect(watching.locator(".entry", has_text=title).locator(".state")).to_have_text("sent")


async def test_a_search_is_subscribed_to_with_its_query(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    await page.get_by_role("link", name="Subscribe to this search").click()
    await expect(page.get_by_label("Query")).to_have_value("truce OR ceasefire")
    await expect(page.locator("#check-query")).to_contain_text("Understood")


async def test_a_preview_counts_what_would_have_been_sent(site: Site, page: Page) -> None:
    await page.goto(site.url + "/subscriptions?q=topic:ceasefire-talks#new")
    await page.get_by_role("button", name="Preview on history").click()
    await expect(page.locator(".preview [role=status]")).to_contain_text("alerts in 30 days")
    await expect(page.locator(".preview svg a, .preview svg rect").first).to_be_attached()


async def test_a_failed_alert_is_sent_again_when_its_receiver_works(site: Site, page: Page) -> None:
    site.stand.statuses[BAD] = 204
    await send_again(page, site, failed="Ferries stop at Port Ellin")
    await received(site, BAD, "Ferries stop at Port Ellin")


async def test_a_topic_shows_what_made_each_article_one_of_it(site: Site, page: Page) -> None:
    await page.goto(site.url + "/topics")
    await page.get_by_role("link", name="Ceasefire talks").first.click()
    entries = page.locator(".list .entry")
    assert await entries.count() >= 10
    for entry in await entries.all():
        assert await entry.locator(".words mark").count()
    await expect(page.locator("main svg").first).to_be_visible()


async def test_a_story_has_its_sources_and_a_timeline(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    await page.get_by_role("link", name="more in this story").first.click()
    dots = await page.locator(".timeline svg circle").count()
    assert dots == await page.locator(".list .entry").count() > 1


async def test_a_feed_is_found_by_its_homepage(site: Site, page: Page) -> None:
    await page.goto(site.url + "/feeds")
    address = page.get_by_role("textbox", name="Address of a feed")
    await address.fill(site.stand.url(HOME))
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Add Found Daily").click()

    async def is_listed() -> bool:
        feeds = await site.rows("/api/feeds", "feeds")
        return any(one["url"].endswith("/found.xml") for one in feeds)

    await until(is_listed)
    assert await site.first_hit('"Found by its homepage"')


async def test_times_are_those_of_the_readers_zone(visitor: Visitor) -> None:
    page = await (await visitor(timezone_id="Asia/Tokyo")).page(QUERY)
    await expect(page.locator("#zone")).to_have_text("Asia/Tokyo")
    shown = page.locator(".list time").first
    before = await shown.inner_text()
    await page.reload()
    await expect(page.locator("#zone")).to_have_text("Asia/Tokyo")
    assert await shown.inner_text() == before


async def test_a_phone_can_subscribe_too(site: Site, visitor: Visitor) -> None:
    page = await (await visitor(**PHONE)).page("/")
    await subscribe(
        page, site, name="on the way", query="night trains", to=site.stand.url("/phone")
    )
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= 320


async def test_a_subscription_is_made_with_the_keys_alone(site: Site, page: Page) -> None:
    await page.goto(site.url + "/subscriptions#new")
    await page.get_by_label("Query").focus()
    await page.keyboard.type("iron bridge")
    for _ in range(20):
        if await page.evaluate("document.activeElement.id") == "name":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type("by keys")
    for _ in range(20):
        if await page.evaluate("document.activeElement.id") == "to":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type(site.stand.url("/keys"))
    for _ in range(20):
        if await page.evaluate("document.activeElement.value") == "save":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("by keys")
