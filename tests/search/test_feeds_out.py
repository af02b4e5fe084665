"""A search as a feed: readers read it, nothing in it acts, and a token opens it until revoked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import httpx
import pytest

from deploy.embedded import Embedded
from search.feed_formats import FeedDocument, FeedEntry, atom, json_feed, rss, urn
from tests.made_up_news import sighting
from tests.shell import carry, client, opened

SEEN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "AT&T &amp; &lt;b&gt;",
    ']]><x xmlns="y">',
    "\x00\x01\x1b[31m\ufffe\uffff\ud800 red",
    '"&#0;&#xD800;',
    "\U0001f600 ﷺ \u202e",
]
DOCUMENT = FeedDocument(
    title="Wirewatch: <b>&\x00",
    url="http://127.0.0.1/feeds/search.atom?q=a&b=<",
    page="http://127.0.0.1/?q=a",
    entries=tuple(
        FeedEntry(
            key=f"article-{number}",
            title=text,
            url=f"https://example.org/?a=1&b={number}",
            summary=text,
            source="example.org",
            authors=(text,),
            topics=("truce",),
            language="en",
            published=SEEN,
            updated=SEEN,
        )
        for number, text in enumerate(HOSTILE)
    ),
)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        await carry(
            found,
            [
                sighting(
                    "article-1", "The ferry runs.", title="<script>ferry</script>", feed="port"
                ),
                sighting("article-2", "A choir on the ferry.", title="Choir", feed="port"),
            ],
        )
        yield found


@pytest.fixture
async def api(shell: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    async with client(shell) as found:
        yield found


@pytest.mark.parametrize("write", [atom, rss])
def test_hostile_words_leave_xml_well_formed_and_harmless(write: Any) -> None:
    body = write(DOCUMENT)
    ET.fromstring(body)  # noqa: S314 - our own words
    found = feedparser.parse(body)
    assert not found.bozo, found.get("bozo_exception")
    assert len(found.entries) == len(HOSTILE)
    for entry in found.entries:
        for part in (entry.title_detail, entry.summary_detail):
            is_html = part.type == "text/html"  # else a reader shows it as it is
            assert not (is_html and ("<script" in part.value or "<img" in part.value))


def test_titles_are_read_back_as_they_were() -> None:
    found = feedparser.parse(atom(DOCUMENT), sanitize_html=False, resolve_relative_uris=False)
    root = ET.fromstring(atom(DOCUMENT))  # noqa: S314 - our own words
    space = {"a": "http://www.w3.org/2005/Atom"}
    titles = [one.text for one in root.findall("a:entry/a:title", space)]
    assert titles[:4] == HOSTILE[:4]
    assert [one.id for one in found.entries] == [
        urn(f"article:article-{number}") for number in range(len(HOSTILE))
    ]
    assert found.entries[0].links[0].href == "https://example.org/?a=1&b=0"


def test_json_feed_has_the_shape_of_version_1_1() -> None:
    found = json.loads(json_feed(DOCUMENT))
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(found["title"], str)
    for name in ("home_page_url", "feed_url"):
        assert found[name].startswith("http")
    known = {
        "id": str,
        "url": str,
        "title": str,
        "content_text": str,
        "date_published": str,
        "date_modified": str,
        "tags": list,
        "authors": list,
        "language": str,
    }
    assert len({one["id"] for one in found["items"]}) == len(HOSTILE)
    for one in found["items"]:
        assert {name: type(value) for name, value in one.items()} == known
        assert datetime.fromisoformat(one["date_published"]).tzinfo
        assert all(isinstance(author["name"], str) for author in one["authors"])


def test_a_feed_without_entries_is_a_feed() -> None:
    empty = FeedDocument(title="x", url="http://a/", page="http://a/")
    for write in (atom, rss):
        assert not feedparser.parse(write(empty)).bozo
    assert json.loads(json_feed(empty))["items"] == []


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("atom", "application/atom+xml; charset=utf-8"),
        ("rss", "application/rss+xml; charset=utf-8"),
        ("json", "application/feed+json; charset=utf-8"),
    ],
)
async def test_a_search_is_a_feed_that_is_sent_once(
    api: httpx.AsyncClient, kind: str, media_type: str
) -> None:
    url = f"/feeds/search.{kind}"
    answer = await api.get(url, params={"q": "ferry"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    for header, name in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        again = await api.get(url, params={"q": "ferry"}, headers={header: answer.headers[name]})
        assert again.status_code == 304
        assert not again.content
    other = await api.get(url, params={"q": "ferry"}, headers={"If-None-Match": '"x"'})
    assert other.status_code == 200
    if kind == "json":
        titles = {one["title"] for one in answer.json()["items"]}
    else:
        found = feedparser.parse(answer.content)
        assert not found.bozo
        titles = {one.title for one in found.entries}
        assert all(one.link.startswith("http") for one in found.entries)
    assert "Choir" in titles
    assert len(titles) == 2


async def test_a_fault_in_the_query_is_a_problem(api: httpx.AsyncClient) -> None:
    assert (await api.get("/feeds/search.atom", params={"q": "("})).status_code == 400
    assert (await api.get("/feeds/search.pdf", params={"q": "x"})).status_code == 422


async def test_a_token_opens_feeds_until_it_is_revoked(api: httpx.AsyncClient) -> None:
    made = (await api.post("/api/feed-tokens", json={"name": "phone"})).json()
    listed = (await api.get("/api/feed-tokens")).json()["feed_tokens"]
    assert [one["name"] for one in listed] == ["phone"]
    assert made["token"] not in json.dumps(listed)
    asked = {"q": "ferry", "token": made["token"]}
    answer = await api.get("/feeds/search.atom", params=asked)
    assert answer.status_code == 200
    assert made["token"] not in answer.text
    wrong = await api.get("/feeds/search.atom", params={"q": "ferry", "token": "wwf_no"})
    assert wrong.status_code == 401
    assert (await api.delete(f"/api/feed-tokens/{made['id']}")).status_code == 200
    assert (await api.get("/feeds/search.atom", params=asked)).status_code == 401
    assert (await api.delete(f"/api/feed-tokens/{made['id']}")).status_code == 404
