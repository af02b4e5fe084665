"""What people do on the pages, by the words that they see: the same with and without script."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.site import Site, until


async def search(page: Page, query: str) -> None:
    """Type a query and press the button."""
    await page.get_by_role("searchbox", name="Query").fill(query)
    await page.get_by_role("button", name="Search").click()
    await page.wait_for_url("**/?q=*")


async def subscribe(
    page: Page,
    site: Site,
    *,
    name: str,
    query: str,
    to: str = "",
    channel: str = "",
    every_article: bool = False,
) -> None:
    """Subscribe to a query with the form, after a look at what it would have sent."""
    await page.goto(site.url + "/subscriptions")
    await page.get_by_label("Query").fill(query)
    await page.get_by_role("button", name="Preview on history").click()
    await expect(page.locator(".preview [role=status]")).to_contain_text("would have sent")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Addresses, one a line").fill(to)
    if channel:
        await page.get_by_role("checkbox", name=channel, exact=True).check()
    if every_article:
        await page.get_by_text("Quiet hours, limits, stories").click()
        await page.get_by_role("checkbox", name="Alert for every article").check()
    await page.get_by_role("button", name="Subscribe", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)


def titles(site: Site, path: str) -> list[str]:
    """The articles that a receiver was told of, in the order in which it was."""
    found = (one["data"].get("article") for one in site.stand.received(path))
    return [one["title"] for one in found if one is not None]


async def received(site: Site, path: str, title: str) -> None:
    """Wait until an alert about the article of that title has come to a receiver."""
    await until(lambda: title in titles(site, path))


async def send_again(page: Page, site: Site, *, failed: str) -> None:
    """Press the button of a failed alert, and see that it was sent."""
    await page.goto(f"{site.url}/alerts?state=failed")
    entry = page.locator(".entry", has=page.get_by_role("link", name=failed))
    async with page.expect_navigation():
        await entry.get_by_role("button", name="Send again").click()
    await page.goto(f"{site.url}/alerts?state=sent")
    await expect(page.locator(".entry", has_text=failed)).to_have_count(1)
