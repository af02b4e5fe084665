"""Everything can be done with the keys alone: in order, in sight, without a trap."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_BROWSER
from tests.browser.routes import QUERY, every_page
from tests.browser.site import Site

pytestmark = IN_BROWSER

MOST_STOPS = 250
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const all = window.stops ??= [];
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const before = all.at(-1);
  const faults = [];
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  if (!outlined && style.boxShadow === "none") faults.push("the focus does not show");
  if (box.width < 1 || box.height < 1) faults.push("has no size");
  if (box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth)
    faults.push("is out of sight");
  if (before && !(before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING))
    faults.push("comes before the last one");
  const again = all.includes(one);
  all.push(one);
  return {again, faults: faults.map(fault => `${one.outerHTML.slice(0, 160)}: ${fault}`)};
}"""
FROM_THE_TOP = """() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
}"""
LEFT_OUT = """() => Array.from(document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary"))
  .filter(one => one.checkVisibility({visibilityProperty: true}) && one.tabIndex >= 0 &&
    !one.disabled && !(window.stops ?? []).includes(one))
  .filter(one => one.type !== "radio" || !document.querySelector(`[name="${one.name}"]:checked`))
  .map(one => one.outerHTML.slice(0, 160))"""


async def stops(page: Page) -> list[str]:
    """Go through the page with the tab key; what is wrong on the way."""
    faults: list[str] = []
    await page.evaluate(FROM_THE_TOP)
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        found = await page.evaluate(FOCUSED)
        if found is None or found["again"]:
            return [*faults, *(f"{one}: never reached" for one in await page.evaluate(LEFT_OUT))]
        faults += found["faults"]
    return [*faults, "there is no end"]


async def test_the_tab_key_reaches_everything_in_order_and_in_sight(site: Site, page: Page) -> None:
    found = {}
    for name, path in (await every_page(site)).items():
        await page.goto(site.url + path)
        found[name] = await stops(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


async def test_the_first_stop_leads_past_the_navigation(site: Site, page: Page) -> None:
    await page.goto(site.url + "/alerts")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()


async def test_a_slash_goes_to_the_query(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    await page.keyboard.press("/")
    await expect(page.locator("#q")).to_be_focused()
    assert await page.locator("#q").input_value() == "truce OR ceasefire"


async def test_letters_move_through_the_hits_and_open_one(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    titles = page.locator(".list .entry h3 a")
    await page.keyboard.press("j")
    await expect(titles.nth(0)).to_be_focused()
    await page.keyboard.press("j")
    await expect(titles.nth(1)).to_be_focused()
    await page.keyboard.press("k")
    await expect(titles.nth(0)).to_be_focused()
    wanted = await titles.nth(0).get_attribute("href")
    await page.keyboard.press("o")
    await page.wait_for_url(f"{site.url}{wanted}")


async def test_letters_typed_into_a_field_are_text(site: Site, page: Page) -> None:
    await page.goto(site.url + QUERY)
    await page.locator("#q").fill("")
    await page.keyboard.type("jokes/?")
    assert await page.locator("#q").input_value() == "jokes/?"
    assert page.url == site.url + QUERY


@pytest.mark.parametrize("path", [QUERY, "/alerts"])
async def test_a_question_mark_shows_the_keys_and_escape_closes_them(
    path: str, site: Site, page: Page
) -> None:
    await page.goto(site.url + path)
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#keys")).to_be_hidden()
