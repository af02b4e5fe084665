"""Accounts in a browser: who may only read, what is whose, and what a logout ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.browser.fixtures import IN_BROWSER, Visitor
from tests.browser.reader import received, subscribe
from tests.browser.routes import every_page
from tests.browser.site import SETTINGS, Site, news_site, usual_lists, with_alerts
from tests.browser.watched import Visit
from tests.running import Place

pytestmark = IN_BROWSER

BEYOND: dict[str, object] = {"api.host": "0.0.0.0"}  # noqa: S104  this is what asks for a login
ACCOUNTS = {"ann": "write", "bea": "write", "looker": "read"}
CHANGING = """() => Array.from(
    document.querySelectorAll("form[method=post]:not([action='/logout']), [data-star]"),
    one => one.action ?? one.outerHTML)"""
"""What would change something, apart from the end of the session."""


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Token by account; those of the site."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(
    tmp_path_factory: pytest.TempPathFactory, tokens: dict[str, str]
) -> AsyncIterator[Site]:
    """The usual site, for others to reach: everybody logs in."""
    folder: Path = tmp_path_factory.mktemp("site")
    place = Place(folder=folder, settings=SETTINGS | BEYOND)
    for name, scope in ACCOUNTS.items():
        whose = ["--owner", "local"] if name == "looker" else []
        made = place.call("accounts", "add", name, "--scope", scope, *whose, "--json")
        tokens[name] = json.loads(made.stdout)["token"]
    async with news_site(folder, settings=BEYOND, before=usual_lists) as found:
        await with_alerts(found)
        yield found


async def logged_in(visit: Visit, token: str, path: str = "/") -> Page:
    """A page, after the login that it asks for."""
    page = await visit.page(path)
    await page.get_by_label("Token of your account").fill(token)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"**{path}")
    return page


async def test_who_may_only_read_meets_nothing_that_changes_anything(
    site: Site, visitor: Visitor, tokens: dict[str, str]
) -> None:
    page = await logged_in(await visitor(), tokens["looker"])
    paths = await every_page(site)
    del paths["login"]  # its form changes nothing but who asks
    del paths["subscription"]  # it may be somebody else's, of another test
    alert = next(one for one in await site.alerts(state="failed") if one["owner"] == "local")
    subscription = f"/subscriptions/{alert['subscription']}"
    paths |= {"told": f"/stories/{alert['story_id']}", "failed": "/alerts?state=failed"}
    paths |= {"muting": f"{subscription}/mute/{alert['story_id']}", "of it": subscription}
    found = {}
    for name, path in paths.items():
        await page.goto(site.url + path)
        await expect(page.get_by_text("Logged in as looker")).to_be_visible()
        found[name] = await page.evaluate(CHANGING)
        for link in ("Subscribe to this search", "mute this story", "Remove", "Erase"):
            if await page.get_by_role("link", name=link).count():
                found[name].append(link)
    assert {name: things for name, things in found.items() if things} == {}
    for path in (paths["muting"], "/feed?q=truce"):
        await page.goto(site.url + path)
        await expect(page.get_by_role("main")).to_contain_text("looker may only read")


async def test_what_one_account_subscribes_to_is_nothing_to_another(
    site: Site, visitor: Visitor, tokens: dict[str, str]
) -> None:
    ann = await logged_in(await visitor(), tokens["ann"])
    visit = await visitor()
    bea = await logged_in(visit, tokens["bea"], "/alerts")
    await expect(bea.locator("#live")).to_contain_text("as they happen")
    await subscribe(ann, site, name="tannery", query="tannery", to=site.stand.url("/ann"))
    hers = await visit.page()
    await subscribe(hers, site, name="leather", query="tannery", to=site.stand.url("/bea"))
    title = "Tannery of Sule is sold"
    site.publish("tannery", title, "The tannery of Sule was sold to its nine workers.")
    await received(site, "/ann", title)
    await expect(bea.locator("#alerts .entry")).to_contain_text("leather")
    for path in ("/alerts", "/subscriptions"):
        await hers.goto(site.url + path)
        await expect(hers.locator("main .entry")).to_contain_text(["leather"])  # and no other
    visit.allow("status of 404")
    await hers.goto(ann.url)
    await expect(hers.get_by_role("heading", level=1)).to_have_text("Not found")


async def test_a_logout_ends_what_is_open_in_other_tabs(
    site: Site, visitor: Visitor, tokens: dict[str, str]
) -> None:
    visit = await visitor()
    visit.allow("status of 401")
    page = await logged_in(visit, tokens["ann"], "/subscriptions")
    form, watching, is_out = await visit.page("/channels"), await visit.page(), asyncio.Event()

    async def late(route: Route) -> None:
        await is_out.wait()
        await route.continue_()

    await watching.route("**/api/stream", late)
    await watching.goto(site.url + "/alerts")
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/login")
    is_out.set()
    await expect(watching.locator("#live")).to_contain_text("Load this page again")

    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")

    await form.get_by_label("Name", exact=True).fill("too-late")
    await form.get_by_label("Address", exact=True).fill(site.stand.url("/too-late"))
    await form.get_by_role("button", name="Add", exact=True).click()
    await expect(form.get_by_text("This needs a login")).to_be_visible()
    await expect(form.get_by_text("Authorization")).to_have_count(0)
    await form.get_by_role("link").click()
    await expect(form.get_by_role("heading", level=1)).to_have_text("Log in")
