"""What a browser is told about every answer."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse

from search.security_headers import DOCS_POLICY, SecurityHeaders

F48 = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)


def made() -> httpx.AsyncClient:
    app = FastAPI()

    @app.get("/page")
    @app.get("/docs/")
    def page() -> HTMLResponse:
        return HTMLResponse("<p>hello</p>", headers={"Content-Security-Policy": "img-src *"})

    @app.get("/static/one.css")
    def style() -> PlainTextResponse:
        return PlainTextResponse("", headers={"Cache-Control": "max-age=60"})

    transport = httpx.ASGITransport(app=SecurityHeaders(app))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.mark.parametrize("path", ["/page", "/nothing", "/docs/", "/static/one.css"])
async def test_every_answer_has_the_policy_of_row_f48_and_no_other(path: str) -> None:
    async with made() as client:
        answer = await client.get(path)
    assert answer.headers.get_list("content-security-policy") == [F48]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    # A browser makes a process anew for a page with it, before it paints (DECISIONS.md).
    assert "cross-origin-opener-policy" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]


async def test_what_is_shown_stays_in_no_cache_and_styles_may() -> None:
    async with made() as client:
        assert (await client.get("/page")).headers["cache-control"] == "no-store"
        assert (await client.get("/static/one.css")).headers["cache-control"] == "max-age=60"


async def test_only_the_page_of_the_api_has_a_looser_policy_without_another_host() -> None:
    async with made() as client:
        found = (await client.get("/docs")).headers["content-security-policy"]
    assert found == DOCS_POLICY
    assert "default-src 'none'" in found
    assert "http" not in found
    assert "unsafe-inline" not in found.partition("script-src")[2].partition(";")[0]
