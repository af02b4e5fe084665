"""Logging in, changing something, logging out, and the page of the API, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from search.scopes import Scope
from tests.browser.fixtures import IN_BROWSER
from tests.browser.watched import Visit, visiting
from tests.port_server import Served, served
from tests.shell import carry

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        folder: Path = tmp_path_factory.mktemp("login")
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        accounts: dict[str, Scope] = {"boss": "admin"}
        with served(folder, "api.require_login=true", accounts=accounts, fill=carry) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, server: Served) -> AsyncIterator[Visit]:
    """Somebody who has not logged in; at the end nothing unexpected may have been said."""
    found = await visiting(browser, server.url)
    yield found
    assert found.unexpected() == []
    await found.context.close()


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_token_opens_the_page_that_was_asked_for_until_the_logout(
    browser: Browser, server: Served, *, has_script: bool
) -> None:
    visit = await visiting(browser, server.url, java_script_enabled=has_script)
    page = await visit.page("/feeds")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.get_by_label("Token of your account").fill(server.tokens["boss"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/feeds")
    await page.reload()
    await expect(page.get_by_text("Logged in as boss")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/login")
    await page.goto(server.url + "/feeds")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert visit.unexpected() == []
    await visit.context.close()


async def test_a_wrong_token_is_said_to_be_one(visit: Visit) -> None:
    visit.allow("401")
    page = await visit.page("/login")
    await page.get_by_label("Token of your account").fill("ww_wrong")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not one of an account")


async def test_the_page_of_the_api_works_within_its_policy(visit: Visit, server: Served) -> None:
    visit.context.set_default_timeout(60_000)  # a megabyte of script on a busy machine
    page = await visit.page("/login?next=/docs")
    await page.get_by_label("Token of your account").fill(server.tokens["boss"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/docs")
    operation = page.locator("#operations-alerts-alerts_api_alerts_get")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    status = operation.locator(".live-responses-table td.response-col_status:not(.col_header)")
    await expect(status).to_have_text("200", timeout=60_000)
