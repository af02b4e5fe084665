"""Everything that can be changed is changed by forms alone: no script, a token, errors beside."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from ingest.log import NewRecord
from ingest.wire import encode
from search.alert_state import mute_key
from tests.newsroom import until
from tests.search.pages.forms import forms, send
from tests.shell import NEWS, carry

NEW = "/subscriptions#new"


async def subscribed(browser: httpx.AsyncClient, folder: Path, **more: str) -> httpx.Response:
    typed = {"name": "Ferry", "query": "ferry", "to": f"file:{folder}/a.jsonl", **more}
    return await send(browser, "/subscriptions", NEW, **typed)


async def test_a_subscription_is_made_changed_paused_and_removed(
    shell: Embedded, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    made = await subscribed(
        browser, tmp_path, schedule="0 8 * * 1-5", zone="Europe/Berlin", throttle="5"
    )
    assert made.url.path.startswith("/subscriptions/")
    assert "active from the next article on" in made.text
    (one,) = shell.subscriptions.all()
    assert (one.name, one.query, one.throttle) == ("Ferry", "ferry", "5/1h")
    assert one.digest == "0 8 * * 1-5@Europe/Berlin"
    page = f"/subscriptions/{one.id}"
    changed = await send(browser, page, page, query="ferry OR boat", every_article="true")
    assert "It was changed" in changed.text
    (one,) = shell.subscriptions.all()
    assert (one.query, one.every_article, one.throttle) == ("ferry OR boat", True, "5/1h")
    assert one.digest == "0 8 * * 1-5@Europe/Berlin"
    assert "It is paused" in (await send(browser, page, f"{page}/pause")).text
    assert shell.subscriptions.get(one.id).paused
    assert "active again" in (await send(browser, page, f"{page}/resume")).text
    assert not shell.subscriptions.get(one.id).paused
    gone = await send(browser, f"{page}/remove", f"{page}/remove")
    assert "It was removed" in gone.text
    assert shell.subscriptions.all() == []


async def test_a_preview_keeps_what_was_typed_and_makes_nothing(
    shell: Embedded, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    await carry(shell)
    found = await subscribed(browser, tmp_path, do="preview")
    assert "It would have sent 2 alerts in 30 days; busiest day 2." in found.text
    assert forms(found.text)[NEW].values["name"] == "Ferry"
    assert "<mark>Ferry</mark> runs" in found.text
    assert shell.subscriptions.all() == []


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"query": "ferry NEAR"}, "query", "NEAR needs a number"),
        ({"query": "topic:nothing"}, "query", "There is no topic nothing"),
        ({"name": ""}, "name", "1 to 100 printable characters"),
        ({"to": ""}, "to", "somewhere to send"),
        ({"to": "gopher:x"}, "to", "gopher"),
        ({"schedule": "own", "cron": "soon"}, "cron", "5 fields"),
        ({"schedule": "own", "cron": ""}, "cron", "is empty"),
        ({"schedule": "", "cron": "0 8 * * *"}, "cron", "is not chosen"),
        ({"schedule": "0 * * * *", "cron": "0 8 * * *"}, "cron", "is not chosen"),
        ({"schedule": "0 8 * * *", "zone": "Mars/X"}, "zone", "no time zone Mars/X"),
        ({"quiet_from": "22:00", "quiet_until": ""}, "quiet", "no quiet hours"),
        ({"throttle": "many"}, "throttle", "no limit"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    *,
    typed: dict[str, str],
    field: str,
    sentence: str,
    shell: Embedded,
    browser: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    found = await subscribed(browser, tmp_path, **typed)
    assert found.status_code == 400
    beside = found.text.partition(f'id="fault-{field}"')[2].partition("</div>")[0]
    assert sentence in beside
    assert f"fault-{field}" in found.text.partition(f'id="fault-{field}"')[0]  # described by it
    assert shell.subscriptions.all() == []


async def test_a_name_that_is_taken_is_refused_beside_the_name(
    browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    await subscribed(browser, tmp_path)
    found = await subscribed(browser, tmp_path)
    assert found.status_code == 400
    assert 'id="fault-name"' in found.text


async def test_the_caret_stands_below_the_fault(browser: httpx.AsyncClient, tmp_path: Path) -> None:
    found = await subscribed(browser, tmp_path, query="ferry AND (boat")
    lines = found.text.partition('<pre class="caret" dir="ltr">')[2].partition("</pre>")[0]
    line, caret = lines.split("\n")
    assert line[caret.index("^")] == "("


async def test_a_signing_secret_is_shown_once(browser: httpx.AsyncClient, tmp_path: Path) -> None:
    made = await subscribed(browser, tmp_path, to="https://hooks.example/a")
    assert made.text.count("whsec_") == 1
    assert "whsec_" not in (await browser.get(str(made.url))).text


async def test_a_form_without_its_token_changes_nothing(
    shell: Embedded, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    refused = await subscribed(browser, tmp_path, form_token="guessed")  # noqa: S106  a wrong one
    assert refused.status_code == 403
    assert shell.subscriptions.all() == []


async def test_a_test_alert_says_what_each_target_answered(
    browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    page = (await subscribed(browser, tmp_path)).url.path
    told = await send(browser, page, f"{page}/test")
    assert "the test alert was delivered" in told.text
    assert 'class="said"' in told.text
    assert (tmp_path / "a.jsonl").exists()


async def test_a_test_alert_that_failed_looks_like_a_fault(
    browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").mkdir()
    page = (await subscribed(browser, tmp_path)).url.path
    told = await send(browser, page, f"{page}/test")
    assert 'class="fault" role="status"' in told.text
    assert 'class="said"' not in told.text


async def test_a_backfill_begins_in_the_past(browser: httpx.AsyncClient, tmp_path: Path) -> None:
    page = (await subscribed(browser, tmp_path)).url.path
    assert (
        "History is being matched"
        in (await send(browser, page, f"{page}/backfill", since="24h")).text
    )
    refused = await send(browser, page, f"{page}/backfill", since="2999-01-01")
    assert "begins in the past" in refused.text
    assert 'id="fault-since"' in refused.text


async def test_a_story_is_muted_and_heard_of_again(
    shell: Embedded, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with shell.working():
        shell.log.append(
            [NewRecord(topic="articles", key=one.article.id, value=encode(one)) for one in NEWS]
        )
        await until(lambda: shell.index.get("article-2") is not None)
        record = shell.index.get("article-2")
        assert record is not None
        page = (await subscribed(browser, tmp_path)).url.path + f"/mute/{record.story_id}"
        assert "Ferry runs" in (await browser.get(page)).text
        assert "It is muted" in (await send(browser, page, page)).text
        key = mute_key(shell.subscriptions.all()[0].id, record.story_id)
        await until(lambda: shell.log.table("alert-state").get(key) is not None)
        assert "A muted story" in (await browser.get(page)).text
        assert "heard of again" in (await send(browser, page, f"{page}/end")).text
        assert (await browser.get(page.replace(record.story_id, "none"))).status_code == 404


async def test_an_article_is_starred_and_noted_and_one_stays_where_one_was(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    await carry(shell)
    back = await send(browser, "/?q=ferry", "/articles/article-2/mark")
    assert str(back.url).endswith("/?q=ferry")
    assert 'aria-pressed="true"' in back.text
    page = "/articles/article-2"
    await send(browser, page, f"{page}/mark", note="Ask the <harbour>.")
    listed = await browser.get("/starred")
    assert "Ask the &lt;harbour&gt;." in listed.text
    await send(browser, page, f"{page}/mark", note="")
    assert "Ask the" not in (await browser.get("/starred")).text


async def test_an_article_is_erased_for_a_reason(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    await carry(shell)
    page = "/articles/article-2/erase"
    assert "Ferry runs" in (await browser.get(page)).text
    assert 'id="fault-reason"' in (await send(browser, page, page, reason=" ")).text
    told = await send(browser, page, page, reason="A court order")
    assert "was erased" in told.text
    assert "A court order" in told.text
    assert shell.erasing.known().get("article-2") is not None


async def test_a_channel_is_made_chosen_and_removed(
    shell: Embedded, browser: httpx.AsyncClient, tmp_path: Path
) -> None:
    made = await send(
        browser, "/channels", "/channels#new", name="desk", target="https://a.example/x"
    )
    assert "whsec_" in made.text
    (channel,) = shell.services().channels.all()
    await subscribed(browser, tmp_path, to="", channels="desk")
    assert "used by <bdi>Ferry</bdi>" in (await browser.get("/channels")).text
    (one,) = shell.subscriptions.all()
    await send(browser, f"/subscriptions/{one.id}/remove", f"/subscriptions/{one.id}/remove")
    gone = await send(browser, "/channels", f"/channels/{channel.id}/remove")
    assert "It was removed" in gone.text
    assert shell.services().channels.all() == []


async def test_a_refused_channel_is_said_beside_its_field(browser: httpx.AsyncClient) -> None:
    found = await send(browser, "/channels", "/channels#new", name="desk", target="gopher:x")
    assert found.status_code == 400
    assert 'id="fault-target"' in found.text


async def test_feeds_come_as_a_list_and_go_after_a_question(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    page = await browser.get("/feeds")
    token = forms(page.text)["/feeds/import"].values["form_token"]
    listed = b"https://a.example/feed.xml\nhttps://b.example/feed.xml\nnot a feed\n"
    told = await browser.post(
        "/feeds/import", data={"form_token": token}, files={"file": ("feeds.txt", listed)}
    )
    assert "2 added" in told.text
    assert "1 refused" in told.text
    assert "<opml" in (await browser.get("/feeds/export.opml")).text
    first, _ = shell.feeds.all()
    asked = f"/feeds/{first.id}/remove"
    assert "not polled any more" in (await send(browser, asked, asked)).text
    assert len(shell.feeds.all()) == 1


async def test_an_address_that_is_none_is_refused_beside_it(browser: httpx.AsyncClient) -> None:
    found = await send(browser, "/feeds", "/feeds", url="not an address")
    assert found.status_code == 400
    assert 'id="fault-url"' in found.text
