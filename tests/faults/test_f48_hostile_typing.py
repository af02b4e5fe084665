"""Row F48: what users type is text on every page that shows it, and in what is refused, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from deploy.embedded import Embedded
from ingest.clean import clean, one_line
from ingest.errors import UsageError
from search.feed_tokens import NAME_CHARS as TOKEN_CHARS
from search.mail.unsubscribing import Links
from search.subscriptions import NAME_CHARS
from tests.browser.fixtures import IN_BROWSER, browser
from tests.browser.hostile import as_shown, faults_in, texts_of
from tests.browser.payloads import LINES, PAYLOADS
from tests.browser.watched import Visit, visiting
from tests.made_up_news import sighting
from tests.port_server import Served, served
from tests.shell import carry

__all__ = ["browser", "server", "visit"]

pytestmark = IN_BROWSER

REFUSED = ("status of 400", "status of 410")
"""A page that says what is wrong is a 400, and the console notes every 400."""

HOOK = "https://hook.example/in"

_SUBMIT = """([action, fields]) => {
  const form = document.createElement("form");
  form.action = action;
  form.method = "post";
  const token = document.querySelector("meta[name=form-token]").content;
  for (const [name, value] of [["form_token", token], ...Object.entries(fields)]) {
    const field = document.createElement("input");
    Object.assign(field, {type: "hidden", name, value});
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}"""


def article(number: int) -> str:
    return f"article-{number}"


async def _news(shell: Embedded) -> None:
    """A harmless article for each payload, and more to be erased."""
    count = len(PAYLOADS) + len(LINES)
    await carry(shell, [sighting(article(one), f"Item {one}, zzq{one}.") for one in range(count)])


@pytest.fixture(scope="module", name="server")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        folder: Path = tmp_path_factory.mktemp("typing")
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        with served(
            folder,
            "api.require_login=true",
            "api.requests_per_minute=100000",
            "mail.server=127.0.0.1",
            "mail.from_address=wire@example.org",
            accounts={"boss": "admin"},
            fill=_news,
        ) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module", name="visit")
async def visit(browser: Browser, server: Served) -> AsyncIterator[Visit]:
    """Somebody with an account, whose pages ran nothing and asked no other host."""
    found = await visiting(browser, server.url)
    found.allow(*REFUSED)
    dialogs: list[str] = []
    found.context.on("dialog", lambda one: dialogs.append(one.message))
    page = await found.page("/login")
    await page.get_by_label("Token of your account").fill(server.tokens["boss"])
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{server.url}/")
    yield found
    await found.context.close()
    assert dialogs == []
    assert found.unexpected() == []


async def read(page: Page, path: str) -> str:
    """The texts of a page; fails where anything in it is not ours."""
    await page.goto(path)
    return await checked(page)


async def checked(page: Page) -> str:
    assert await faults_in(page) == []
    return await texts_of(page)


async def submitted(page: Page, action: str, **fields: str) -> int:
    """The status of the page that a form leads to, whatever its fields would let through."""
    async with page.expect_navigation() as leads:
        await page.evaluate(_SUBMIT, [action, fields])
    answer = await leads.value
    assert answer is not None
    return answer.status


def is_name(text: str, chars: int) -> bool:
    """Whether it is a name of a subscription or token."""
    found = " ".join(text.split())
    return 0 < len(found) <= chars and found.isprintable()


def numbered(purpose: str) -> list[str]:
    """A name of a subscription of each payload that can be one."""
    found = (f"{one} {purpose} {number}" for number, one in enumerate(PAYLOADS.values()))
    return [" ".join(one.split()) for one in found if is_name(one, NAME_CHARS)]


def missing(text: str, wanted: Iterable[str]) -> list[str]:
    return [one for one in wanted if as_shown(one) not in text]


async def test_notes_are_text_on_their_article_and_among_the_starred(
    server: Served, visit: Visit
) -> None:
    marks = server.shell.services().marks
    for number, payload in enumerate(PAYLOADS.values()):
        marks.change("boss", article(number), note=payload, starred=True)
    page = await visit.page()
    for number, payload in enumerate(PAYLOADS.values()):
        text = await read(page, f"{server.url}/articles/{article(number)}")
        assert as_shown(clean(payload)) in text, payload
    starred = await read(page, f"{server.url}/starred")
    while await (following := page.locator("a[rel=next]")).count():
        async with page.expect_navigation():
            await following.first.click()
        starred += await checked(page)
    assert missing(starred, map(clean, PAYLOADS.values())) == []


async def test_a_note_that_is_typed_comes_back_as_it_was(visit: Visit) -> None:
    page = await visit.page(f"/articles/{article(len(PAYLOADS))}")
    for some in LINES:
        await page.locator("details.yours").evaluate("one => one.open = true")
        await page.get_by_label("Note", exact=True).fill(some)
        async with page.expect_navigation():
            await page.get_by_role("button", name="Keep the note").click()
        assert as_shown(clean(some)) in await checked(page)


async def test_no_channel_has_such_a_name_or_address_and_both_are_echoed_as_text(
    server: Served, visit: Visit
) -> None:
    page = await visit.page("/channels")
    for payload in PAYLOADS.values():
        assert await submitted(page, "/channels", name=payload, target=payload) == 400
        text = await checked(page)
        assert "cannot be the name of a channel" in text, payload
        assert await page.locator("#name").input_value() == echoed(payload)
        assert await page.locator("#target").input_value() == echoed(payload)
        assert await submitted(page, "/channels", name="desk", target=payload) == 400, payload
        assert await page.locator("#fault-target").inner_text()
        await checked(page)
    assert server.shell.services().channels.all() == []


def echoed(payload: str) -> str:
    """What a field of one line has of it: HTML has neither line ends there nor NUL."""
    return payload.replace("\n", "").replace("\x00", "\ufffd")


async def test_names_of_subscriptions_wherever_they_are_shown(server: Served, visit: Visit) -> None:
    shell, services = server.shell, server.shell.services()
    page = await visit.page("/subscriptions")
    names = numbered("shown")
    assert len(names) > len(PAYLOADS) // 2
    channels, added = [], []  # other tests have theirs
    for first in range(0, len(names), 5):  # the page of channels shows five that use it
        channels.append(services.channels.add(name=f"desk-{first}", target=HOOK))
        to = [f"desk-{first}", "mailto:jane@example.org"]
        added += [
            shell.subscriptions.add(name=name, query="truce", to=to)
            for name in names[first : first + 5]
        ]
    links = Links(services.vault, base="")
    assert missing(await read(page, f"{server.url}/channels"), names) == []
    assert missing(await read(page, f"{server.url}/alerts"), names) == []
    for one in added:
        paths = (
            f"/subscriptions/{one.id}/remove",
            f"/subscriptions/{one.id}/mute/{article(0)}",
            links.link(one.id, "mailto:jane@example.org"),
        )
        for path in paths:
            assert as_shown(one.name) in await read(page, server.url + path), path
    await page.goto(f"{server.url}/channels")
    for channel in channels:
        assert await submitted(page, f"/channels/{channel.id}/remove") == 400
        text = await checked(page)
        assert missing(text, services.channels.users(channel)) == []
        assert "is used by" in text


async def test_a_subscription_that_is_refused_is_echoed_as_text(
    server: Served, visit: Visit
) -> None:
    page = await visit.page("/subscriptions")
    known = len(server.shell.subscriptions.all())
    for payload in PAYLOADS.values():
        fields = {"query": payload, "name": payload, "to": payload, "cron": payload}
        others = ("zone", "quiet_from", "quiet_until", "throttle", "period", "sources", "languages")
        everything = fields | dict.fromkeys(others, payload)
        assert await submitted(page, "/subscriptions", **everything) == 400, payload
        await checked(page)
        assert await page.locator("#name").input_value() == echoed(payload)
        is_refused = await page.locator("#fault-name").count() == 1
        assert is_refused == (not is_name(payload, NAME_CHARS)), payload
    assert len(server.shell.subscriptions.all()) == known


async def test_a_reason_to_erase_is_text_on_the_page_and_in_what_is_left(
    server: Served, visit: Visit
) -> None:
    page = await visit.page("/channels")
    for number, some in enumerate(LINES, len(PAYLOADS)):
        path = f"/articles/{article(number)}"
        assert await submitted(page, f"{path}/erase", reason=some) == 200
        assert as_shown(one_line(some)) in await checked(page)
        text = await read(page, server.url + path)
        assert "was erased" in text
        assert as_shown(one_line(some)) in text
        await page.goto(f"{server.url}/channels")
    kept = [one.reason for one in server.shell.erasing.known()]
    assert sorted(kept) == sorted(map(one_line, LINES))


async def test_a_reason_that_is_refused_says_why(visit: Visit) -> None:
    page = await visit.page("/channels")
    too_long = PAYLOADS["script"] * 100
    path = f"/articles/{article(0)}/erase"
    assert await submitted(page, path, reason=too_long) == 400
    assert "a reason of at most" in await checked(page)


async def test_names_of_feed_tokens_are_text_or_refused(server: Served, visit: Visit) -> None:
    page = await visit.page("/feed?q=truce")
    known: list[str] = []
    for payload in PAYLOADS.values():
        is_fine = is_name(payload, TOKEN_CHARS)
        status = await submitted(page, "/feed/tokens", name=payload, q=payload)
        assert status == (200 if is_fine else 400), payload
        text = await checked(page)
        assert as_shown(payload) in text  # the search at least
        if is_fine:
            known.append(payload)
            assert as_shown(payload) in "\n".join(
                await page.locator("ul.offers bdi").all_inner_texts()
            )
        else:
            assert "a token's name has 1 to 100 printable characters" in text
        if len(known) == 40:  # the page shows fifty
            await _revoke_all(page, server)
            known.clear()


async def _revoke_all(page: Page, server: Served) -> None:
    headers = {"Authorization": f"Bearer {server.tokens['boss']}"}
    answer = await page.request.get(f"{server.url}/api/feed-tokens", headers=headers)
    for one in (await answer.json())["feed_tokens"]:
        path = f"{server.url}/api/feed-tokens/{one['id']}"
        assert (await page.request.delete(path, headers=headers)).ok


@pytest.mark.parametrize("name", PAYLOADS)
async def test_no_account_and_no_owner_has_such_a_name(name: str, server: Served) -> None:
    before = server.shell.accounts.all()
    for given in ({"name": PAYLOADS[name]}, {"name": "desk", "owner": PAYLOADS[name]}):
        with pytest.raises(UsageError, match=r"an account's (name|owner) is 1 to 60"):
            server.shell.accounts.add(given.pop("name"), scopes=("read",), **given)
    assert server.shell.accounts.all() == before


async def test_a_token_of_a_login_is_not_echoed(server: Served, visit: Visit) -> None:
    visit.allow("status of 401", "status of 422", "status of 429")
    page = await visit.page("/channels")
    for payload in [*PAYLOADS.values()][:4]:
        await submitted(page, "/login", token=payload, next=payload)
        assert "not one of an account" in await checked(page)
        await page.goto(f"{server.url}/channels")


async def test_the_audit_is_no_page_whatever_names_stand_in_it(
    server: Served, visit: Visit
) -> None:
    page = await visit.page()
    headers = {"Authorization": f"Bearer {server.tokens['boss']}"}
    names = numbered("audited")
    for name in names:
        server.shell.subscriptions.add(name=name, query="truce", to=["mailto:j@example.org"])
        path = f"{server.url}/api/subscriptions/{quote(name, safe='')}"
        answer = await page.request.patch(path, headers=headers, data={"paused": True})
        assert answer.ok, name
    after, subjects = "", []
    while True:
        shown = await page.goto(f"{server.url}/api/audit?after={after}")
        assert shown is not None
        assert shown.headers["content-type"] == "application/json"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert await page.evaluate("window.ran") is None
        found = await shown.json()
        subjects += [row["subject"] for row in found["audit"]]
        if not (after := found["after"]):
            break
    assert [one for one in names if one not in subjects] == []
