"""Row F48: what publishers and readers write is text in a mail program, too, whatever it runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from playwright.async_api import Browser

from ingest.clean import cut, one_line
from search.mail.message import message
from search.payload import payload_of_test
from search.subscriptions import Subscription
from search.telling import TITLE_CHARS
from tests.browser.fixtures import IN_BROWSER, browser
from tests.browser.hostile import as_shown, faults_in, texts_of
from tests.browser.payloads import PAYLOADS
from tests.mailbox import texts
from tests.payloads import digest, grew, matched

__all__ = ["browser"]

pytestmark = IN_BROWSER

NOW = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
OURS = ("links", "alert_id", "id", "story_id", "seen", "published", "window", "day")
"""What no stranger writes: addresses of our pages, ids, times."""

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type"),
}

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
    _, html = texts(mail_of({**payload, "data": poisoned(payload["data"], text)}))
    return html


def mail_of(payload: dict[str, Any]) -> EmailMessage:
    return message(
        payload,
        alert_id="4Lx9ZkqT0mW2v8RbYc3dEg",
        to="jane@example.org",
        sender="Wirewatch <alerts@wire.example>",
        unsubscribe="https://wire.example/unsubscribe/sss.abc",
        now=NOW,
    )


def told(name: str) -> list[dict[str, Any]]:
    """Payloads of a subscription or channel with that name, as they are really made."""
    one = Subscription(id="s", name=name, query="truce", to=(), created=NOW)
    of = {"id": "s", "name": name}
    tests = [
        payload_of_test(one, alert_id="t", now=NOW, of=of) for of in ("subscription", "channel")
    ]
    payloads = [json.loads(one) for one in tests]
    payloads += [matched(), grew(), digest(more=37)]
    for payload in payloads[2:]:
        payload["data"]["subscription"] |= of
    return payloads


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


@pytest.mark.parametrize("name", PAYLOADS)
async def test_the_name_of_a_subscription_adds_nothing_to_the_head_of_a_mail(name: str) -> None:
    text = PAYLOADS[name]
    for payload in told(text):
        sent = message_from_bytes(mail_of(payload).as_bytes(), policy=policy.default)
        assert isinstance(sent, EmailMessage)
        assert not sent.defects
        assert sorted(sent.keys()) == sorted(HEADERS)
        assert sent["To"] == "jane@example.org"
        shown = cut(one_line(text), TITLE_CHARS).replace("=?", "= ?")
        assert shown in sent["Subject"]


async def test_such_names_run_nothing_in_a_mail(browser: Browser) -> None:
    page = await browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda one: said.append(f"dialog {one.message}"))
    page.on("request", lambda one: said.append(f"asked for {one.url}"))
    for name, text in PAYLOADS.items():
        for payload in told(text)[:2]:
            _, html = texts(mail_of(payload))
            await page.set_content(html)
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
