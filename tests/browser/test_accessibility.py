"""axe-core finds nothing on any page, in light and dark, on a desk and on a phone.

Its script is put into the page, which the pages' policy forbids: only here that is lifted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.routes import every_page
from tests.browser.site import Site
from tests.browser.watched import DESKTOP, PHONE

pytestmark = IN_BROWSER

SHAPES: dict[str, dict[str, Any]] = {"desk": DESKTOP, "phone": PHONE}
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """rules => axe.run(document, {
  runOnly: rules,
  resultTypes: ['violations'],
  rules: {'target-size': {enabled: true}},
})"""


def sentences(result: dict[str, Any]) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_no_page_is_hard_to_use(
    size: str, scheme: Literal["light", "dark"], site: Site, visitor: Visitor
) -> None:
    shape = SHAPES[size]
    visit = await visitor(**shape, color_scheme=scheme, bypass_csp=True)
    page = await visit.page()
    found = {}
    for name, path in (await every_page(site)).items():
        await page.goto(site.url + path)
        await page.evaluate(AXE)
        found[name] = sentences(await page.evaluate(RUN, RULES))
    assert {name: faults for name, faults in found.items() if faults} == {}


async def test_the_check_sees_what_is_hard_to_use(site: Site, visitor: Visitor) -> None:
    page = await (await visitor(bypass_csp=True)).page("/")
    await page.evaluate("document.querySelector('#main').append(document.createElement('img'))")
    await page.evaluate(AXE)
    found = sentences(await page.evaluate(RUN, RULES))
    assert [one for one in found if one.startswith("image-alt")]
    assert site.url in page.url
