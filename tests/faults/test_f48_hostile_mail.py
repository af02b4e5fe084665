"""Row F48: what publishers and readers write is text in a mail program, too, whatever it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Browser

from search.mail.message import message
from tests.browser.fixtures import IN_BROWSER, browser
from tests.browser.hostile import as_shown, faults_in, texts_of
from tests.browser.payloads import PAYLOADS
from tests.mailbox import texts
from tests.payloads import digest, matched

__all__ = ["browser"]

pytestmark = IN_BROWSER

NOW = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
OURS = ("links", "alert_id", "id", "story_id", "seen", "published", "window", "day")
"""What no stranger writes: addresses of our pages, ids, times."""

OUR_STYLES = ("style=font-", "style=border-")


def poisoned(value: Any, text: str) -> Any:
    """``value`` with ``text`` wherever somebody else writes."""
    if isinstance(value, dict):
        return {key: one if key in OURS else poisoned(one, text) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, text) for one in value]
    return text if isinstance(value, str) else value


def html_of(payload: dict[str, Any], text: str) -> str:
    """The HTML part of the e-mail of a poisoned payload."""
    made = message(
        {**payload, "data": poisoned(payload["data"], text)},
        alert_id="4Lx9ZkqT0mW2v8RbYc3dEg",
        to="jane@example.org",
        sender="Wirewatch <alerts@wire.example>",
        unsubscribe="https://wire.example/unsubscribe/sss.abc",
        now=NOW,
    )
    _, html = texts(made)
    return html


@pytest.mark.parametrize("kind", ["matched", "digest"])
async def test_an_email_in_a_program_that_runs_scripts_shows_text(
    kind: str, browser: Browser
) -> None:
    payload = {"matched": matched, "digest": lambda: digest(more=37)}[kind]()
    page = await browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda one: said.append(f"dialog {one.message}"))
    page.on("request", lambda one: said.append(f"asked for {one.url}"))
    for name, text in PAYLOADS.items():
        # No policy holds here: what a program shows is up to the message alone.
        await page.set_content(html_of(payload, text))
        found = [one for one in await faults_in(page) if not any(s in one for s in OUR_STYLES)]
        assert found == [], name
        assert as_shown(text) in await texts_of(page), name
    await page.close()
    assert said == []


@pytest.mark.parametrize("name", ["script", "image-error", "svg-load", "frame", "base", "form"])
async def test_the_check_sees_what_is_not_text(name: str, browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content(f"<p>{PAYLOADS[name]}</p>")
    assert await faults_in(page)
    await page.close()
