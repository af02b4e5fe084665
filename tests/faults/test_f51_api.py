"""F51: what a page of another site, a rebound name or a program without a token can do: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from search.form_tokens import SESSION_COOKIE, token_of
from tests.running import Place
from tests.shell import browser, carry, opened

FEED = {"url": "https://port.example/feed"}
HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


def token_in(page: str) -> str:
    """The form token of a page."""
    return page.partition('name="form-token" content="')[2].partition('"')[0]


ELSEWHERE = (
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
)


async def test_a_page_of_another_site_changes_nothing(shell: Embedded) -> None:
    async with browser(shell) as api:
        token = token_in((await api.get("/", headers=HTML)).text)
        for headers in ELSEWHERE:
            for more in ({}, {"X-Form-Token": token}):
                answer = await api.post("/api/feeds", json=FEED, headers=headers | more)
                assert answer.status_code == 403, (headers, more)
                form = {"url": FEED["url"], "form_token": token}
                assert (await api.post("/feeds", data=form, headers=headers)).status_code == 403
        # A simple request of a script elsewhere: no preflight, a body that could be read as JSON.
        body = '{"url": "https://port.example/feed"}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = await api.post("/api/feeds", content=body, headers={"Content-Type": kind})
            assert answer.status_code in (403, 422), kind
    assert shell.feeds.all() == []


async def test_a_form_without_its_token_or_with_another_pages_changes_nothing(
    shell: Embedded,
) -> None:
    async with browser(shell) as api, browser(shell) as other:
        page, elsewhere = await api.get("/", headers=HTML), await other.get("/", headers=HTML)
        ours = {"Sec-Fetch-Site": "same-origin"}
        for token in (None, "", token_in(elsewhere.text), token_of("")):
            form = {"url": FEED["url"], **({} if token is None else {"form_token": token})}
            assert (await api.post("/feeds", data=form, headers=ours)).status_code == 403, token
        assert shell.feeds.all() == []
        right = {"X-Form-Token": token_in(page.text)}
        assert (await api.post("/api/feeds", json=FEED, headers=right | ours)).status_code == 201


REBOUND = (
    "rebound.example",
    "rebound.example:8720",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example#localhost",
    "localhost@evil.example",
    "[::1].evil.example",
    "[::1",
    "127.0.0.1:8720/static/?",
    "[::1]:8720/static/?",
    "127.0.0.2",
    "0.0.0.0",  # noqa: S104  a name that is asked for, not one that is listened on
    "",
)


async def test_a_rebound_name_reads_nothing(shell: Embedded) -> None:
    async with browser(shell) as api:
        for host in REBOUND:
            for path in ("/", "/api/subscriptions", "/api/stream", "/login", "/static/main.js"):
                answer = await api.get(path, headers={"Host": host})
                assert answer.status_code == 400, (host, path)
                assert answer.json()["code"] == "host"


async def test_names_of_this_machine_are_answered(shell: Embedded) -> None:
    async with browser(shell) as api:
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1:8720", "[::1]:8720"):
            assert (await api.get("/api/feeds", headers={"Host": host})).status_code == 200, host


async def test_two_hosts_are_none(shell: Embedded) -> None:
    async with browser(shell) as api:
        request = api.build_request("GET", "/api/feeds")
        request.headers = httpx.Headers([("host", "localhost"), ("host", "evil.example")])
        assert (await api.send(request)).status_code == 400


async def test_a_name_of_the_settings_is_answered_after_a_login_only(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.hosts=news.example") as shell:
        _, token = shell.accounts.add("reader", scopes=("read",))
        for base in ("http://news.example", "http://localhost"):
            async with browser(shell, base_url=base) as api:
                assert (await api.get("/api/feeds")).status_code == 401
                headers = {"Authorization": f"Bearer {token}"}
                assert (await api.get("/api/feeds", headers=headers)).status_code == 200


def test_beyond_this_machine_it_starts_with_an_account_only(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    done = place.call("run", "--host", "0.0.0.0", "--port", "0", check=False)  # noqa: S104  meant
    assert done.returncode == 2
    assert "no account yet" in done.stderr
    assert "accounts add" in done.stderr
    assert "Traceback" not in done.stderr


async def test_no_list_gives_a_page_that_is_too_large(shell: Embedded) -> None:
    async with browser(shell) as api:
        paths = (await api.get("/openapi.json")).json()["paths"]
        sized = [
            path
            for path, operations in paths.items()
            if any(one["name"] == "size" for one in operations.get("get", {}).get("parameters", ()))
        ]
        assert len(sized) >= 5
        for path in sized:
            for size in ("201", "0", "-1", "1000000000", "1e3", "x", "9" * 5000):
                answer = await api.get(path, params={"q": "x", "size": size})
                assert answer.status_code == 422, (path, size[:20])


async def test_a_cursor_that_is_none_is_one_sentence(shell: Embedded) -> None:
    await carry(shell)
    async with browser(shell) as api:
        for after in ("x", "9" * 18, "../..", "%00", "\x00", "é" * 1000, "a" * 20_000):
            for path in ("search?q=ferry", "alerts", "marks", "audit", "feeds", "subscriptions"):
                answer = await api.get(f"/api/{path}", params={"q": "ferry", "after": after})
                assert answer.status_code in (200, 400, 422), (path, after[:20])


async def test_deep_pages_come_to_an_end(shell: Embedded) -> None:
    await carry(shell)
    async with browser(shell) as api:
        seen, after = [], ""
        for _ in range(10):
            page = (
                await api.get("/api/search", params={"q": "ferry", "size": 1, "after": after})
            ).json()
            seen += [hit["id"] for hit in page["hits"]]
            if not (after := page["end"]["after"]):
                break
        assert sorted(seen) == ["article-2", "article-3"]


async def test_a_body_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.body_bytes=100000") as shell, browser(shell) as api:
        big = b'{"url": "' + b"x" * 200_000 + b'"}'

        async def in_parts() -> AsyncIterator[bytes]:
            for start in range(0, len(big), 10_000):
                yield big[start : start + 10_000]

        json = {"Content-Type": "application/json"}
        for content in (big, in_parts()):
            answer = await api.post("/api/feeds", content=content, headers=json)
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_stolen_cookie_is_of_no_use_after_the_account_was_revoked(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.require_login=true") as shell:
        account, _ = shell.accounts.add("reader", scopes=("write",))
        cookie = shell.accounts.begin_session(account)
        stolen = {"Cookie": f"{SESSION_COOKIE}={cookie}"}
        async with browser(shell) as thief:
            assert (await thief.get("/api/feeds", headers=stolen)).status_code == 200
            shell.accounts.revoke("reader")
            assert (await thief.get("/api/feeds", headers=stolen)).status_code == 401
            form = stolen | {"X-Form-Token": token_of(cookie)}
            answer = await thief.post("/api/subscriptions", json={}, headers=form)
            assert answer.status_code == 401


async def test_a_form_token_is_of_no_use_in_another_session(tmp_path: Path) -> None:
    async with opened(tmp_path, "api.require_login=true") as shell:
        account, _ = shell.accounts.add("reader", scopes=("write",))
        first, second = shell.accounts.begin_session(account), shell.accounts.begin_session(account)
        headers = {"Cookie": f"{SESSION_COOKIE}={second}", "X-Form-Token": token_of(first)}
        async with browser(shell) as api:
            answer = await api.post("/api/subscriptions", json={}, headers=headers)
            assert answer.status_code == 403
            headers["X-Form-Token"] = token_of(second)
            answer = await api.post("/api/subscriptions", json={}, headers=headers)
            assert answer.status_code == 422
