"""A feed is added by its address or by its site's, from the page and from the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from tests.newsserver import NewsServer, item, rss
from tests.search.pages.forms import forms, send
from tests.shell import client, opened

HOME = """<!doctype html><html><head><title>Port news</title>
<link rel="alternate" type="application/rss+xml" title="All &lt;b&gt; news" href="/feed">
</head><body>Hello</body></html>"""


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path, "net.allow=127.0.0.1:*", "fetch.host_gap_seconds=0") as found:
        yield found


@pytest.fixture
async def site() -> AsyncIterator[NewsServer]:
    async with NewsServer() as found:
        found.answer("/feed", rss(item("1", "Ferry runs again")))
        found.answer("/", HOME, headers={"Content-Type": "text/html"})
        yield found


async def test_a_feed_is_added_by_its_address(
    shell: Embedded, browser: httpx.AsyncClient, site: NewsServer
) -> None:
    told = await send(browser, "/feeds", "/feeds", url=site.url("/feed"))
    assert "It is polled from now on" in told.text
    assert [one.url for one in shell.feeds.all()] == [site.url("/feed")]


async def test_a_site_names_its_feeds_and_one_is_added_with_a_button(
    shell: Embedded, browser: httpx.AsyncClient, site: NewsServer
) -> None:
    offered = await send(browser, "/feeds", "/feeds", url=site.url("/"))
    assert "This page names 1 feed" in offered.text
    assert "All &lt;b&gt; news" in offered.text
    assert shell.feeds.all() == []
    button = forms(offered.text)["/feeds"]
    assert button.values["url"] == site.url("/feed")
    assert "polled from now on" in (await browser.post("/feeds", data=button.values)).text
    assert len(shell.feeds.all()) == 1


async def test_what_cannot_be_read_is_polled_only_where_that_is_wanted(
    shell: Embedded, browser: httpx.AsyncClient, site: NewsServer
) -> None:
    refused = await send(browser, "/feeds", "/feeds", url=site.url("/none"))
    assert refused.status_code == 400
    assert 'id="fault-url"' in refused.text
    assert shell.feeds.all() == []
    button = forms(refused.text)["/feeds"]
    assert button.values["anyway"] == "true"
    await browser.post("/feeds", data=button.values)
    assert len(shell.feeds.all()) == 1


async def test_the_api_finds_the_feeds_of_a_site(shell: Embedded, site: NewsServer) -> None:
    async with client(shell) as api:
        asked = {"url": site.url("/"), "discover": True}
        found = await api.post("/api/feeds", json=asked)
        assert found.status_code == 200
        assert found.json()["found"] == [{"url": site.url("/feed"), "title": "All <b> news"}]
        asked["url"] = site.url("/feed")
        itself = (await api.post("/api/feeds", json=asked)).json()["found"]
        assert [one["url"] for one in itself] == [site.url("/feed")]
    assert shell.feeds.all() == []
