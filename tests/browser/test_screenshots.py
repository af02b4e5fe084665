"""The pictures of docs/pages.md: each page has one; ``WIREWATCH_SCREENSHOTS=1`` takes them anew."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import Any

import pytest

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


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height, out of a PNG's header."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


@pytest.mark.skipif(os.environ.get("WIREWATCH_SCREENSHOTS") != "1", reason="takes no new pictures")
async def test_pictures_are_taken(site: Site, visitor: Visitor) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (path, shape) in (await shots(site)).items():
        visit = await visitor(**shape)
        page = await visit.page(path)
        await page.evaluate("document.activeElement.blur()")
        await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")


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


async def test_pictures_are_small_and_of_the_size_they_are_taken_in(site: Site) -> None:
    for name, (_, shape) in (await shots(site)).items():
        picture = FOLDER / f"{name}.png"
        assert picture.stat().st_size <= MAX_BYTES, name
        assert size_of(picture) == (shape["viewport"]["width"], shape["viewport"]["height"]), name
