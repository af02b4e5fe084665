"""The audit: who received what, who changed what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from deploy.embedded import Embedded
from search.audit import DELIVERED, account_record, entries
from tests.alerting import Newsdesk, story
from tests.receiver import Receiver
from tests.shell import browser, carry, client, opened


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path, "api.require_login=true") as found:
        yield found


async def test_each_change_is_written_down_with_who_made_it_and_of_what(shell: Embedded) -> None:
    _, token = shell.accounts.add("boss", scopes=("admin",))
    async with browser(shell, token=token) as api:
        made = await api.post("/api/feeds", json={"url": "https://port.example/feed"})
        feed_id = made.json()["feed_id"]
        await api.delete(f"/api/feeds/{feed_id}")
        await api.delete(f"/api/feeds/{feed_id}")  # is gone: no change
        await api.get("/api/feeds")
        rows = (await api.get("/api/audit")).json()["audit"]
    said = [(row["what"], row["by"], row["subject"], row["status"]) for row in rows]
    assert said == [
        ("POST /api/feeds", "boss", feed_id, 201),
        (f"DELETE /api/feeds/{feed_id}", "boss", feed_id, 200),
    ]


@pytest.mark.parametrize("name", ["x/check", "preview", "a/preview", "login", "articles/1/mark"])
async def test_a_change_is_written_down_whatever_the_subscription_is_called(
    name: str, shell: Embedded
) -> None:
    _, token = shell.accounts.add("boss", scopes=("admin",))
    path = f"/api/subscriptions/{quote(name)}"
    given = {"name": name, "query": "truce", "to": ["https://port.example/hook"]}
    async with browser(shell, token=token) as api:
        made = (await api.post("/api/subscriptions", json=given)).json()["id"]
        assert (await api.patch(path, json={"paused": True})).status_code == 200
        assert (await api.delete(path)).status_code == 200
    assert [(one.what, one.subject) for _, one in entries(shell.log)] == [
        ("POST /api/subscriptions", made),
        (f"PATCH /api/subscriptions/{name}", name),
        (f"DELETE /api/subscriptions/{name}", name),
    ]


async def test_what_changes_nothing_is_not_written_down(shell: Embedded) -> None:
    await carry(shell)
    _, token = shell.accounts.add("boss", scopes=("admin",))
    async with browser(shell, token=token) as api:
        found = (await api.get("/api/search", params={"q": "ferry"})).json()["hits"][0]["id"]
        mark = {"starred": True}
        answers = [
            await api.post("/api/subscriptions/preview", json={"query": "truce"}),
            await api.put(f"/api/articles/{found}/mark", json=mark),
        ]
        page = (await api.get(f"/articles/{found}", headers={"Accept": "text/html"})).text
        form_token = page.partition('name="form_token" value="')[2].partition('"')[0]
        form = {"form_token": form_token, "starred": "1"}
        answers += [
            await api.post(f"/articles/{found}/mark", data=form),
            await api.post("/logout", data={"form_token": form_token}),
        ]
    async with client(shell, local=True) as api:
        file = shell.folder.path / "feed.xml"
        file.write_text("<rss version='2.0'><channel><title>Port</title></channel></rss>")
        answers.append(await api.post("/local/feeds/check", json={"file": str(file)}))
    assert [one.status_code for one in answers] == [200, 200, 303, 303, 200]
    assert list(entries(shell.log)) == []


async def test_what_the_command_line_does_is_written_down_without_any_token(
    shell: Embedded, tmp_path: Path
) -> None:
    async with client(shell, local=True) as api:
        token = (await api.post("/local/accounts", json={"name": "reader"})).json()["token"]
        await api.delete("/local/accounts/reader")
        answer = (await api.get("/local/audit")).text
    rows = [one.what for _, one in entries(shell.log)]
    assert rows == ["POST /local/accounts", "DELETE /local/accounts/reader"]
    assert [one.subject for _, one in entries(shell.log)] == ["reader", "reader"]
    assert [one.by for _, one in entries(shell.log)] == ["local", "local"]
    assert answer.count("\n") == 2
    kept = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("log.sqlite*"))
    assert token.encode() not in kept


async def test_a_login_is_written_down(shell: Embedded) -> None:
    _, token = shell.accounts.add("reader", scopes=("read",))
    async with browser(shell) as api:
        page = (await api.get("/login", headers={"Accept": "text/html"})).text
        form_token = page.partition('name="form_token" value="')[2].partition('"')[0]
        await api.post("/login", data={"form_token": form_token, "token": token})
    assert [(one.what, one.by) for _, one in entries(shell.log)] == [("login", "reader")]


async def test_an_alert_that_was_acknowledged_is_written_down_with_its_answer(
    tmp_path: Path,
) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        target = f"http://user:canary-password@{receiver.host}/hook?token=canary-token"
        subscription = desk.subscribe("truce", to=target)
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        (alert,) = desk.alerts()
        ((_, entry),) = list(entries(desk.log))
    assert entry.what == DELIVERED
    assert (entry.owner, entry.subject, entry.status) == ("local", alert.alert_id, 200)
    assert entry.subscription == subscription
    assert receiver.host in entry.target
    assert "canary" not in entry.target


async def test_the_audit_pages_and_filters(shell: Embedded) -> None:
    names = [f"account-{number}" for number in range(5)]
    shell.log.append([account_record("login", by=name, owner=name) for name in names])
    _, token = shell.accounts.add("boss", scopes=("admin",))
    async with browser(shell, token=token) as api:
        seen, after = [], ""
        while True:
            params: dict[str, str | int] = {"size": 2, "after": after}
            page = (await api.get("/api/audit", params=params)).json()
            seen += [row["by"] for row in page["audit"]]
            if not (after := page["after"]):
                break
        assert seen == names
        only = (await api.get("/api/audit", params={"owner": "account-3"})).json()
        assert [row["by"] for row in only["audit"]] == ["account-3"]
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        assert (await api.get("/api/audit", params={"since": later})).json()["audit"] == []
        assert (await api.get("/api/audit", params={"after": "x"})).status_code == 422


async def test_a_change_is_written_down_also_where_nothing_was_carried_before(
    shell: Embedded,
) -> None:
    await carry(shell)
    assert list(entries(shell.log)) == []
