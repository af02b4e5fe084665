"""Form tokens: which request changes something, and which is refused."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp

from search.form_tokens import FORM_COOKIE, FormToken, FormTokens, token_of

COOKIE = "the-cookie-of-this-browser"
TOKEN = token_of(COOKIE)
OURS = {"Cookie": f"{FORM_COOKIE}={COOKIE}"}


def made() -> FastAPI:
    app = FastAPI()

    @app.get("/", response_class=HTMLResponse)
    def page(token: FormToken) -> str:
        return token

    @app.get("/json")
    def rows() -> list[str]:
        return []

    @app.post("/form")
    @app.post("/unsubscribe/abc")
    async def form(name: Annotated[str, Form()] = "") -> str:
        return name

    @app.post("/json")
    async def body(request: Request) -> Any:
        return await request.json()

    return app


def client(app: ASGIApp | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app or FormTokens(made(), is_https=False, max_bytes=10_000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8720")


async def test_a_page_gets_a_token_that_its_form_may_send_back() -> None:
    async with client() as browser:
        page = await browser.get("/")
        cookie = page.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        sent = {"form_token": page.text, "name": "truce"}
        answer = await browser.post("/form", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
        assert (answer.status_code, answer.json()) == (200, "truce")
        assert "set-cookie" not in (await browser.get("/")).headers


async def test_the_cookie_is_secure_where_browsers_come_over_https() -> None:
    async with client(FormTokens(made(), is_https=True, max_bytes=10_000)) as browser:
        assert "; Secure" in (await browser.get("/")).headers["set-cookie"]


async def test_an_answer_for_programs_sets_no_cookie() -> None:
    async with client() as program:
        assert "set-cookie" not in (await program.get("/json")).headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Authorization": "Bearer ww_x", "Origin": "https://else.example"}, 200),
        ({"Origin": "http://localhost:8720"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        (OURS, 403),
        ({"X-Form-Token": TOKEN, "Origin": "http://localhost:8720"}, 403),
        (OURS | {"X-Form-Token": TOKEN}, 200),
        (OURS | {"X-Form-Token": TOKEN, "Origin": "http://localhost:8720"}, 200),
        (OURS | {"X-Form-Token": TOKEN, "Sec-Fetch-Site": "same-origin"}, 200),
        (OURS | {"X-Form-Token": TOKEN, "Sec-Fetch-Site": "none"}, 200),
        (OURS | {"X-Form-Token": TOKEN, "Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        (OURS | {"X-Form-Token": TOKEN, "Origin": "null"}, 403),
        (OURS | {"X-Form-Token": TOKEN, "Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        (OURS | {"X-Form-Token": TOKEN, "Sec-Fetch-Site": "cross-site"}, 403),
        (OURS | {"X-Form-Token": TOKEN, "Sec-Fetch-Site": "same-site"}, 403),
        (OURS | {"X-Form-Token": TOKEN, "Origin": "http://localhost:3000"}, 403),
        (OURS | {"X-Form-Token": TOKEN, "Origin": "https://evil.example"}, 403),
        (OURS | {"X-Form-Token": token_of("another")}, 403),
        (OURS | {"X-Form-Token": "é"}, 403),
    ],
)
async def test_what_a_script_may_send(headers: dict[str, str], status: int) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    async with client() as browser:
        answer = await browser.post("/json", json={"name": "truce"}, headers=encoded)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "form-token"


@pytest.mark.parametrize(
    ("token", "status"), [(None, 403), ("", 403), (token_of("another"), 403), (TOKEN, 200)]
)
@pytest.mark.parametrize("has_files", [False, True])
async def test_a_form_needs_the_token_also_without_any_other_sign_of_a_browser(
    token: str | None, status: int, *, has_files: bool
) -> None:
    data = {"name": "truce"} | ({} if token is None else {"form_token": token})
    files = {"list": ("feeds.opml", b"<opml/>")} if has_files else None
    cookies = OURS if token else {}
    async with client() as browser:
        answer = await browser.post("/form", data=data, files=files, headers=cookies)
    assert answer.status_code == status


async def test_one_click_unsubscribing_comes_from_mail_programs_without_a_token() -> None:
    async with client() as program:
        sent = {"List-Unsubscribe": "One-Click"}
        assert (await program.post("/unsubscribe/abc", data=sent)).status_code == 200


async def test_a_form_too_large_is_refused_before_it_is_read_to_its_end() -> None:
    async with client() as browser:
        sent = {"name": "x" * 10_000}
        assert (await browser.post("/form", data=sent)).status_code == 413


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"anything"),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b"--x\r\nfoo: bar\r\n\r\nlost\r\n--x--\r\n"),
        ("application/x-www-form-urlencoded", b"a&" * 2_000),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%ff"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(kind: str, body: bytes) -> None:
    app = made()
    app.add_middleware(FormTokens, is_https=False, max_bytes=10_000)
    async with client(app) as browser:
        headers = OURS | {"Content-Type": kind}
        answer = await browser.post("/form", content=body, headers=headers)
    assert answer.status_code == 403


async def test_a_browser_reads_a_refusal_as_a_page() -> None:
    async with client() as browser:
        answer = await browser.post("/form", headers=OURS | {"Accept": "text/html"})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert "load it again" in answer.text
