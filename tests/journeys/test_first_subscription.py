"""The first subscription as docs/subscribing.md tells it, step by step: on the page, in a shell."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.fixtures import IN_BROWSER, browser, page, site, visitor
from tests.browser.site import Site, until
from tests.running import COMMAND, ROOT

__all__ = ["browser", "page", "site", "visitor"]

pytestmark = IN_BROWSER

TEXT = (ROOT / "docs" / "subscribing.md").read_text("utf-8")
ON_THE_PAGE = TEXT.partition("### On the page")[2].partition("###")[0]
IN_A_SHELL = TEXT.partition("### On the command line")[2].partition("## ")[0]

STEPS = re.findall(r"^\d+\. (.+)$", ON_THE_PAGE, flags=re.MULTILINE)
LINES = re.findall(r"^    (wirewatch .+)$", IN_A_SHELL, flags=re.MULTILINE)

ACT = re.compile(
    r"\b(?:(?P<open>[Oo]pen) `(?P<path>[^`]+)`"
    r"|(?P<type>[Tt]ype) `(?P<text>[^`]+)` into \*\*(?P<field>[^*]+)\*\*"
    r"|(?P<press>[Pp]ress) \*\*(?P<name>[^*]+)\*\*"
    r"|(?P<see>[Ss]ee) \*\*(?P<seen>[^*]+)\*\*)"
)
RECEIVER = "https://example.org/hook"
NEWS = ("first", "A truce for the orchard", "Neighbours agreed on a truce over the orchard.")


async def act(page: Page, site: Site, step: re.Match[str]) -> None:
    """Do what one instruction of the page says."""
    if step["open"]:
        await page.goto(site.url + step["path"])
    elif step["type"]:
        text = step["text"].replace(RECEIVER, site.stand.url("/first"))
        await page.get_by_label(step["field"], exact=True).fill(text)
    elif step["press"]:
        buttons = page.get_by_role("button", name=step["name"], exact=True)
        links = page.get_by_role("link", name=step["name"], exact=True)
        async with page.expect_navigation():
            await (buttons if await buttons.count() else links).click()
    else:
        await expect(page.locator("main")).to_contain_text(step["seen"])


@pytest.mark.timeout(120)  # what the page promises, with the start of the site in it
async def test_the_steps_on_the_page_lead_to_an_alert(site: Site, page: Page) -> None:
    acts = [one for step in STEPS for one in ACT.finditer(step)]
    assert len(acts) >= len(STEPS) >= 7
    for one in acts:
        await act(page, site, one)
    assert site.stand.received("/first")  # the test alert
    site.publish(*NEWS)
    await expect(page.locator(".entry", has_text=NEWS[1]).first).to_be_visible(timeout=30_000)
    await until(lambda: len(site.stand.received("/first")) >= 2)


@pytest.mark.timeout(120)
async def test_the_commands_in_a_shell_lead_to_an_alert(site: Site, tmp_path: Path) -> None:
    assert len(LINES) >= 4
    for line in LINES:
        words = shlex.split(line)[1:]
        done = subprocess.run(  # noqa: ASYNC221 - nothing else is to do meanwhile
            [sys.executable, *COMMAND, *site.place.arguments(*words)],
            cwd=tmp_path,
            env=site.place.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    alerts = tmp_path / "alerts.jsonl"
    guid, title, text = NEWS
    site.publish(f"{guid}-shell", f"{title} of pears", f"{text} Pears and a ceasefire, they said.")
    await until(lambda: alerts.exists() and "of pears" in alerts.read_text("utf-8"))
