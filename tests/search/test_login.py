"""Who is let in on the port, and what they may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from search.accounts import new_token
from search.form_tokens import SESSION_COOKIE
from search.login import FAILURES_AT_ONCE
from search.pages.login_page import own_page
from search.scopes import Scope
from tests.shell import browser, client, opened

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


@pytest.fixture
async def guarded_shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path, "api.require_login=true") as found:
        yield found


async def logged_in(api: httpx.AsyncClient, token: str, wanted: str = "/") -> httpx.Response:
    """What the login of a browser leads to."""
    page = await api.get("/login", headers=HTML)
    form_token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    sent = {"form_token": form_token, "token": token, "next": wanted}
    return await api.post("/login", data=sent, headers=HTML)


async def test_who_sits_at_this_machine_needs_no_account(shell: Embedded) -> None:
    async with browser(shell) as api:
        assert (await api.get("/api/feeds")).status_code == 200
        added = await api.post("/api/feeds", json={"url": "https://port.example/feed"})
        assert added.status_code == 201


async def test_what_a_proxy_passed_on_did_not_begin_on_this_machine(shell: Embedded) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"):
        async with browser(shell) as api:
            answer = await api.get("/api/feeds", headers={header: "192.0.2.7"})
        assert answer.status_code == 401, header


async def test_a_wrong_token_is_refused_also_where_none_is_needed(shell: Embedded) -> None:
    async with browser(shell, token=new_token()) as api:
        answer = await api.get("/api/feeds")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


OPEN_OR_NOT = {
    "/healthz": 200,
    "/readyz": 200,
    "/login": 200,
    "/static/nothing.css": 404,
    "/unsubscribe/nothing": 404,
    "/feeds/search.atom?q=x": 401,
    "/feeds/search.atom?q=x&token=": 401,
    "/feeds/search.atom?q=x&token=wrong": 401,
    "/feeds/search.atom?q=x&token=wrong&token=": 401,
    "/feeds/search.atom?q=x&token=&token=wrong": 401,
    "/feeds": 401,
    "/metrics": 401,
    "/openapi.json": 401,
    "/docs": 401,
    "/": 401,
    "/api/search?q=x": 401,
    "/api/stream": 401,
    "/api/subscriptions": 401,
    "/nothing": 401,
    "/login/../api/feeds": 401,
    "//healthz": 401,
}
"""What each address answers to who has no account, where a login is needed."""


async def test_without_an_account_only_the_open_addresses_answer(guarded_shell: Embedded) -> None:
    async with browser(guarded_shell) as api:
        answers = {path: await api.get(path) for path in OPEN_OR_NOT}
    assert {path: answer.status_code for path, answer in answers.items()} == OPEN_OR_NOT
    for path, answer in answers.items():
        if answer.status_code == 401:
            assert answer.headers["content-type"] == "application/problem+json", path


async def test_a_browser_is_led_to_the_login_and_back(guarded_shell: Embedded) -> None:
    _, token = guarded_shell.accounts.add("reader", scopes=("read",))
    async with browser(guarded_shell) as api:
        led = await api.get("/alerts?state=failed&x=%2F", headers=HTML)
        assert led.status_code == 303
        assert led.headers["location"] == "/login?next=/alerts%3Fstate%3Dfailed%26x%3D%252F"
        page = await api.get(led.headers["location"], headers=HTML)
        assert 'value="/alerts?state=failed&amp;x=%2F"' in page.text
        done = await logged_in(api, token, "/alerts?state=failed")
        assert (done.status_code, done.headers["location"]) == (303, "/alerts?state=failed")
        cookie = done.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/"))
        assert "Secure" not in cookie
        assert (await api.get("/api/feeds")).status_code == 200


async def test_a_link_in_a_mail_finds_the_session_that_a_strict_cookie_hides(
    guarded_shell: Embedded,
) -> None:
    async with browser(guarded_shell) as api:
        first = await api.get("/alerts", headers=HTML | {"Sec-Fetch-Site": "cross-site"})
    assert first.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in first.text
    assert "set-cookie" not in first.headers


async def test_the_cookie_is_secure_behind_https(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.behind_proxy=true", "api.hosts=news.example") as shell:
        _, token = shell.accounts.add("reader", scopes=("read",))
        async with browser(shell, base_url="https://news.example") as api:
            assert "Secure" in (await logged_in(api, token)).headers["set-cookie"]


async def test_a_wrong_token_gives_the_page_again_and_no_cookie(guarded_shell: Embedded) -> None:
    async with browser(guarded_shell) as api:
        failed = await logged_in(api, "ww_wrong")
        assert failed.status_code == 401
        assert "not one of an account" in failed.text
        assert SESSION_COOKIE not in failed.headers.get("set-cookie", "")


async def test_a_logout_ends_the_session_and_not_only_the_cookie(guarded_shell: Embedded) -> None:
    _, token = guarded_shell.accounts.add("reader", scopes=("read",))
    async with browser(guarded_shell) as api:
        await logged_in(api, token)
        stolen = api.cookies[SESSION_COOKIE]
        page = await api.get("/login", headers=HTML)
        assert "logged in as <bdi>reader</bdi>" in page.text
        form_token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
        assert (await api.post("/logout", data={"form_token": form_token})).status_code == 303
        assert SESSION_COOKIE not in api.cookies
        answer = await api.get("/api/feeds", headers={"Cookie": f"{SESSION_COOKIE}={stolen}"})
        assert answer.status_code == 401


async def test_sessions_and_tokens_end_with_the_account(guarded_shell: Embedded) -> None:
    _, token = guarded_shell.accounts.add("reader", scopes=("read",))
    async with browser(guarded_shell) as api, browser(guarded_shell, token=token) as program:
        await logged_in(api, token)
        assert (await api.get("/api/feeds")).status_code == 200
        assert (await program.get("/api/feeds")).status_code == 200
        guarded_shell.accounts.revoke("reader")
        assert (await api.get("/api/feeds")).status_code == 401
        assert (await program.get("/api/feeds")).status_code == 401


async def test_feed_tokens_end_with_the_last_account_of_their_owner(
    guarded_shell: Embedded,
) -> None:
    _, token = guarded_shell.accounts.add("reader", scopes=("write",), owner="desk")
    guarded_shell.accounts.add("writer", scopes=("write",), owner="desk")
    async with browser(guarded_shell, token=token) as program:
        made = (await program.post("/api/feed-tokens", json={"name": "phone"})).json()
    async with browser(guarded_shell) as feed_reader:
        asked = {"q": "ferry", "token": made["token"]}
        for name, status in (("reader", 200), ("writer", 401)):
            guarded_shell.accounts.revoke(name)
            answer = await feed_reader.get("/feeds/search.atom", params=asked)
            assert answer.status_code == status


async def test_who_may_only_read_sees_no_signing_secret(guarded_shell: Embedded) -> None:
    add = guarded_shell.accounts.add
    _, writer = add("writer", scopes=("write",), owner="desk")
    _, reader = add("reader", scopes=("read",), owner="desk")
    new = {"name": "ports", "query": "ferry", "to": ["https://receiver.example/hook"]}
    async with browser(guarded_shell, token=writer) as program:
        made_id = (await program.post("/api/subscriptions", json=new)).json()["id"]
    for token, is_shown in ((writer, True), (reader, False)):
        async with browser(guarded_shell, token=token) as api:
            api.cookies.set("wirewatch_added", made_id)  # as anybody can
            page = await api.get(f"/subscriptions/{made_id}", headers=HTML)
            assert page.status_code == 200
            assert ("whsec_" in page.text) == is_shown


async def test_a_session_survives_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.require_login=true") as shell:
        _, token = shell.accounts.add("reader", scopes=("read",))
        async with browser(shell) as api:
            await logged_in(api, token)
            cookie = api.cookies[SESSION_COOKIE]
    async with opened(tmp_path, "api.require_login=true") as shell, browser(shell) as api:
        answer = await api.get("/api/feeds", headers={"Cookie": f"{SESSION_COOKIE}={cookie}"})
        assert answer.status_code == 200


NEEDED: dict[tuple[str, str], Scope] = {
    ("GET", "/api/feeds"): "read",
    ("HEAD", "/api/feeds"): "read",
    ("GET", "/api/topics"): "read",
    ("POST", "/api/subscriptions"): "write",
    ("PUT", "/api/articles/x/mark"): "write",
    ("DELETE", "/api/subscriptions/x"): "write",
    ("POST", "/api/alerts/x/retry"): "write",
    ("POST", "/api/feeds"): "admin",
    ("DELETE", "/api/feeds/x"): "admin",
    ("POST", "/feeds"): "admin",
    ("POST", "/feeds/x/remove"): "admin",
    ("PUT", "/api/topics/x"): "admin",
    ("POST", "/api/articles/x/erase"): "admin",
    ("POST", "/articles/x/erase"): "admin",
    ("GET", "/api/audit"): "admin",
    ("GET", "/api/quarantine"): "admin",
    ("POST", "/api/quarantine/x/retry"): "admin",
    ("POST", "/logout"): "read",
}
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")


async def test_each_request_needs_its_scope(guarded_shell: Embedded) -> None:
    refused: dict[tuple[str, str], list[Scope]] = {request: [] for request in NEEDED}
    for scope in SCOPES:
        _, token = guarded_shell.accounts.add(scope, scopes=(scope,))
        async with browser(guarded_shell, token=token) as api:
            for method, path in NEEDED:
                answer = await api.request(method, path)
                if answer.status_code == 403:
                    assert answer.headers["content-type"] == "application/problem+json"
                    refused[method, path].append(scope)
    expected = {one: list(SCOPES[: SCOPES.index(scope)]) for one, scope in NEEDED.items()}
    assert refused == expected


async def test_who_guesses_tokens_has_to_wait_and_others_do_not(guarded_shell: Embedded) -> None:
    _, token = guarded_shell.accounts.add("reader", scopes=("read",))
    async with browser(guarded_shell) as api:
        answers = [
            await api.get("/api/feeds", headers={"Authorization": f"Bearer {number}"})
            for number in range(FAILURES_AT_ONCE + 1)
        ]
        assert [one.status_code for one in answers] == [401] * FAILURES_AT_ONCE + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await logged_in(api, token)).status_code == 429
        fine = await api.get("/api/feeds", headers={"Authorization": f"Bearer {token}"})
        assert fine.status_code == 200


async def test_failed_logins_count_too(guarded_shell: Embedded) -> None:
    async with browser(guarded_shell) as api:
        statuses = [
            (await logged_in(api, "ww_wrong")).status_code for _ in range(FAILURES_AT_ONCE + 1)
        ]
    assert statuses == [401] * FAILURES_AT_ONCE + [429]


async def test_an_account_that_asks_too_often_waits(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.require_login=true", "api.requests_per_minute=3") as shell:
        _, token = shell.accounts.add("reader", scopes=("read",))
        _, other = shell.accounts.add("other", scopes=("read",))
        async with browser(shell, token=token) as api, browser(shell, token=other) as beside:
            statuses = [(await api.get("/api/feeds")).status_code for _ in range(4)]
            assert statuses == [200, 200, 200, 429]
            assert (await beside.get("/api/feeds")).status_code == 200
        async with client(shell, local=True) as command_line:
            assert (await command_line.get("/api/feeds")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/alerts", "/alerts"),
        ("/alerts?state=failed", "/alerts?state=failed"),
        ("/search?q=ä b", "/search?q=%C3%A4%20b"),
        ("", "/"),
        ("alerts", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_a_login_leads_to_a_page_of_ours_only(wanted: str, led_to: str) -> None:
    assert own_page(wanted) == led_to
