"""A channel from its first test to the alert that it carries, and to its end."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.reader import received, send_again, subscribe, titles
from tests.browser.site import Site, until

pytestmark = IN_BROWSER


async def add_channel(page: Page, site: Site, *, name: str, to: str) -> Locator:
    """Make a channel with the form; its entry in the list."""
    await page.goto(site.url + "/channels")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Address", exact=True).fill(to)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("status").first).to_contain_text("can be chosen")
    return page.locator(".entry", has=page.get_by_role("heading", name=name, exact=True))


async def press_test(page: Page, entry: Locator) -> Locator:
    """Press its button for a test alert; what is said of it."""
    async with page.expect_navigation():
        await entry.get_by_role("button", name="Test").click()
    return page.locator("main [role=status]").first


async def test_a_channel_is_tested_before_it_carries_anything(site: Site, page: Page) -> None:
    site.stand.statuses["/moody"] = 500
    entry = await add_channel(page, site, name="moody", to=site.stand.url("/moody"))
    await expect(entry.locator(".state")).to_have_text("unused")
    await expect(await press_test(page, entry)).to_contain_text("500")
    await expect(entry.locator(".state")).to_have_text("unused")  # nothing was lost by it
    site.stand.statuses["/moody"] = 204
    await expect(await press_test(page, entry)).to_contain_text("was delivered")
    await expect(entry.locator(".state")).to_have_text("ok")
    await expect(entry).to_contain_text("last delivered")
    assert titles(site, "/moody") == ["Test alert of the channel moody"]


async def test_a_channel_that_its_receiver_refused_is_used_again(site: Site, page: Page) -> None:
    site.stand.statuses["/closed"] = 410
    entry = await add_channel(page, site, name="closed", to=site.stand.url("/closed"))
    await subscribe(page, site, name="lime pits", query="limepit Tarn", channel="closed")
    title = "Limepit of Tarn floods"
    site.publish("limepit", title, "Groundwater rose into the limepit north of Tarn overnight.")
    await until(lambda: has_failed(site, title))
    await page.goto(site.url + "/channels")
    await expect(entry.locator(".state")).to_have_text("disabled")
    await expect(entry).to_contain_text("410")
    await entry.get_by_role("button", name="Use again").click()
    await expect(page.get_by_role("status").first).to_contain_text("in use again")
    await expect(entry.locator(".state")).to_have_text("unused")
    site.stand.statuses["/closed"] = 204
    await send_again(page, site, failed=title)
    assert titles(site, "/closed") == [title]
    await page.goto(site.url + "/channels")
    await expect(entry.locator(".state")).to_have_text("ok")


async def has_failed(site: Site, title: str) -> bool:
    return any(one["title"] == title for one in await site.alerts(state="failed"))


async def test_an_alert_comes_by_the_name_of_a_channel_which_cannot_be_removed_meanwhile(
    site: Site, visitor: Visitor
) -> None:
    visit = await visitor()
    listed, page = await visit.page(), await visit.page()
    entry = await add_channel(listed, site, name="desk", to=site.stand.url("/desk"))
    await subscribe(page, site, name="glassworks", query="glassworks Ostara", channel="desk")
    await expect(page.locator(".facts").first).to_contain_text("to desk")
    title = "Glassworks of Ostara Bay light their ovens"
    site.publish("glassworks", title, "The glassworks above Ostara Bay light four ovens at once.")
    await received(site, "/desk", title)

    visit.allow("status of 400")
    await entry.get_by_role("button", name="Remove").click()  # the list is from before
    await expect(entry.get_by_role("alert")).to_contain_text("used by: glassworks")
    await expect(entry).to_contain_text("used by glassworks")
    await expect(entry.get_by_role("button", name="Remove")).to_have_count(0)

    await page.get_by_role("link", name="Remove").click()
    await page.get_by_role("button", name="Remove").click()
    await page.wait_for_url("**/subscriptions?*")
    await listed.goto(site.url + "/channels")
    await entry.get_by_role("button", name="Remove").click()
    await expect(listed.get_by_role("status").first).to_contain_text("It was removed")
    await expect(entry).to_have_count(0)


async def test_the_signing_secret_of_a_channel_is_shown_once_and_can_be_made_anew(
    site: Site, page: Page
) -> None:
    entry = await add_channel(page, site, name="signed", to=site.stand.url("/signed"))
    first = await page.locator("code.secret").inner_text()
    await page.goto(site.url + "/channels")
    await expect(page.locator("code.secret")).to_have_count(0)
    await entry.get_by_role("button", name="New secret").click()
    await expect(page.get_by_role("status").first).to_contain_text("new signing secret")
    assert await page.locator("code.secret").inner_text() != first
