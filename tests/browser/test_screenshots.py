"""The pictures of docs/pages.md: each page has one, taken anew into a folder of the test.

``WIREWATCH_SCREENSHOTS=1`` puts them into the docs.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import Any

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.routes import every_page
from tests.browser.site import Site
from tests.browser.watched import PHONE
from tests.running import ROOT

pytestmark = IN_BROWSER

DOC = ROOT / "docs" / "pages.md"
FOLDER = ROOT / "docs" / "pages"
MAX_BYTES = 150_000
PICTURE = re.compile(r"!\[[^\]]+\]\(pages/([a-z-]+)\.png\)")

DESK: dict[str, Any] = {"viewport": {"width": 1000, "height": 720}, "color_scheme": "light"}
DARK: dict[str, Any] = {**PHONE, "viewport": {"width": 360, "height": 640}, "color_scheme": "dark"}
OTHERS = {"search-phone": ("search", DARK), "alerts-phone": ("alerts", DARK)}
"""Beside a picture of each page on a desk: these, on a phone in the dark."""


async def shots(site: Site) -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and shape of every picture, by name."""
    paths = await every_page(site)
    others = {name: (paths[page], shape) for name, (page, shape) in OTHERS.items()}
    return {name: (path, DESK) for name, path in paths.items()} | others


def assert_is_fit(picture: Path, shape: dict[str, Any]) -> None:
    """It is small, and as large as the window; width and height stand in a PNG's header."""
    assert picture.stat().st_size <= MAX_BYTES, picture.name
    window = shape["viewport"]["width"], shape["viewport"]["height"]
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == window, picture.name


async def test_every_picture_can_be_taken(site: Site, visitor: Visitor, tmp_path: Path) -> None:
    folder = FOLDER if os.environ.get("WIREWATCH_SCREENSHOTS") == "1" else tmp_path
    for name, (path, shape) in (await shots(site)).items():
        visit = await visitor(**shape)
        page = await visit.page(path)
        await page.evaluate("document.activeElement.blur()")
        picture = folder / f"{name}.png"
        await page.screenshot(path=picture, animations="disabled", caret="hide")
        assert_is_fit(picture, shape)


async def test_every_page_has_its_picture_and_every_picture_its_page(
    site: Site, visitor: Visitor
) -> None:
    wanted = await shots(site)
    assert set(PICTURE.findall(DOC.read_text("utf-8"))) == set(wanted)
    assert {one.stem for one in FOLDER.glob("*")} == set(wanted)
    page = await (await visitor()).page("/")
    links = page.get_by_role("navigation", name="Main").get_by_role("link")
    reached = {str(await link.get_attribute("href")) for link in await links.all()}
    assert reached <= {path.partition("?")[0] for path, _ in wanted.values()}


async def test_the_pictures_of_the_docs_are_small_and_of_the_size_they_are_taken_in(
    site: Site,
) -> None:
    for name, (_, shape) in (await shots(site)).items():
        assert_is_fit(FOLDER / f"{name}.png", shape)
