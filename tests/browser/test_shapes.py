"""Pages on a phone, enlarged, in the dark, still, and in scripts from right to left."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Page

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.routes import every_page
from tests.browser.site import Site
from tests.browser.watched import PHONE

pytestmark = IN_BROWSER

ENLARGED = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}
"""A window of 1280 by 900 at a zoom of 200 %."""

ENLARGED_MOST = {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4}
"""The same at 400 %, as WCAG 1.4.10 asks for."""

WIDER = """() => {
  const room = document.documentElement.clientWidth;
  const wide = Array.from(document.querySelectorAll("body *"))
    .filter(one => one.getBoundingClientRect().right > room + 1 &&
      !one.closest(".unseen, [hidden], .scrolls"))
    .map(one => one.outerHTML.slice(0, 120));
  return document.scrollingElement.scrollWidth > room ? [...wide, "the page scrolls sideways"] : [];
}"""
LIGHTNESS = """() => {
  const colour = getComputedStyle(document.documentElement).backgroundColor;
  const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
  return (r + g + b) / 765;
}"""
MOVING = """() => Array.from(document.querySelectorAll("*")).filter(one => {
  const style = getComputedStyle(one);
  const seconds = text => Math.max(...text.split(",").map(parseFloat));
  return seconds(style.transitionDuration) > 0.01 ||
    (style.animationName !== "none" && seconds(style.animationDuration) > 0.01);
}).map(one => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("shape", [PHONE, ENLARGED, ENLARGED_MOST], ids=["phone", "200%", "400%"])
async def test_no_page_scrolls_sideways(
    shape: dict[str, object], site: Site, visitor: Visitor
) -> None:
    page = await (await visitor(**shape)).page()
    found = {}
    for name, path in (await every_page(site)).items():
        await page.goto(site.url + path)
        found[name] = await page.evaluate(WIDER)
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(("scheme", "least", "most"), [("light", 0.8, 1.0), ("dark", 0.0, 0.2)])
async def test_every_page_is_as_light_as_its_reader_wants(
    scheme: Literal["light", "dark"], least: float, most: float, site: Site, visitor: Visitor
) -> None:
    page = await (await visitor(color_scheme=scheme)).page()
    for path in (await every_page(site)).values():
        await page.goto(site.url + path)
        assert least <= await page.evaluate(LIGHTNESS) <= most, path


async def test_nothing_moves_for_those_who_want_it_still(site: Site, visitor: Visitor) -> None:
    page = await (await visitor(reduced_motion="reduce")).page()
    for path in (await every_page(site)).values():
        await page.goto(site.url + path)
        assert await page.evaluate(MOVING) == [], path


@pytest.mark.parametrize(("lang", "direction"), [("ar", "rtl"), ("he", "rtl"), ("ja", "ltr")])
async def test_a_text_runs_as_its_script_does_and_the_page_around_it_stays(
    lang: str, direction: str, site: Site, page: Page
) -> None:
    hit = await site.first_hit(f"lang:{lang}")
    for path, title in ((f"/?q=lang:{lang}", ".list h3"), (f"/articles/{hit['id']}", "main h1")):
        await page.goto(site.url + path)
        heading = page.locator(title).first
        assert await heading.get_attribute("lang") == lang
        assert await heading.evaluate("one => getComputedStyle(one).direction") == direction
        assert await page.evaluate("getComputedStyle(document.body).direction") == "ltr"
        facts = page.locator(".facts").first
        assert await facts.evaluate("one => getComputedStyle(one).direction") == "ltr"


async def test_highlights_stand_where_the_words_are_in_a_script_from_right_to_left(
    site: Site, page: Page
) -> None:
    await page.goto(f"{site.url}/?q=هدنة")
    assert await page.locator(".list mark").all_inner_texts()
    assert set(await page.locator(".list mark").all_inner_texts()) == {"هدنة"}
