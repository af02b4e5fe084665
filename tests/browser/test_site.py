"""The site that the tests visit is what they take it for."""

from __future__ import annotations

from playwright.async_api import Page

from tests.browser.fixtures import IN_BROWSER
from tests.browser.site import BAD, EVERYTHING, GOOD, Site

pytestmark = IN_BROWSER


async def test_it_has_ten_days_of_news_in_many_scripts(site: Site) -> None:
    answer = await site.running.ask(
        "/api/search", q=EVERYTHING, facets="lang,source,topic", interval="1d"
    )
    end = answer.json()["end"]
    assert end["total"]["value"] >= 300
    assert {"ar", "he", "ja", "en", "fr", "de"} <= {one["value"] for one in end["facets"]["lang"]}
    assert len(end["histogram"]) >= 10


async def test_it_has_alerts_that_arrived_and_alerts_that_failed(site: Site) -> None:
    assert {one["state"] for one in await site.alerts()} >= {"sent", "failed"}
    assert site.stand.received(GOOD)
    assert not site.stand.received(BAD)


async def test_a_browser_opens_it(site: Site, page: Page) -> None:
    answer = await page.goto(site.url + "/")
    assert answer is not None
    assert answer.status == 200
