"""Every page: rendered by the server, hostile text as text, below 100 kB, errors in the frame."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.embedded import Embedded
from ingest.article import Sighting
from search.pages.frame import Frame
from tests.made_up_news import sighting
from tests.shell import carry

MOST_BYTES = 100_000
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
MANY = 200


def nasty(number: int) -> Sighting:
    """An article that is hostile everywhere, and as long as it can be."""
    return sighting(
        f"article-{number}",
        f"truce {HOSTILE * 20}\n" + '"truce" &<> ' * (20 if number % 20 else 4_000),
        title=f"truce {number} {HOSTILE * 8}"[:1_000],
        feed=f"feed-{number % 40}",
    )


PATHS = (
    "/",
    "/?q=truce",
    "/?q=truce&sort=relevance",
    "/?q=truce&since=24h",
    "/?q=" + "(truce OR 停戦) " * 150,
    "/?q=%3Cscript%3E",
    "/?q=truce+NEAR",
    "/?q=truce&since=%3Cscript%3E",
    "/articles/article-1",
    "/articles/article-1?part=2",
    "/topics",
    "/topics/ceasefire-talks",
    "/subscriptions",
    "/subscriptions?q=%3Cscript%3E",
    "/channels",
    "/alerts",
    "/alerts?state=sent",
    "/feeds",
    "/feed?q=%3Cscript%3E",
    "/starred",
    "/login",
    "/login?next=%22%3E%3Cscript%3E",
    "/nothing/%3Cscript%3E",
    "/articles/%3Cscript%3E",
)


@pytest.fixture
async def full(shell: Embedded, browser: httpx.AsyncClient, tmp_path: Path) -> httpx.AsyncClient:
    """A newsroom of 200 hostile articles, alerts of them, and hostile names."""
    for number in range(40):
        shell.subscriptions.add(
            name=f"{number} {HOSTILE}",
            query='truce OR "<script>alert(1)</script>"',
            to=[f"file:{tmp_path}/a"],
        )
    await carry(shell, [nasty(number) for number in range(MANY)])
    for number in range(60):  # behind it: nobody polls them
        shell.feeds.add(f"https://feed-{number}.example/{'a' * 300}", title=HOSTILE * 5)
    return browser


async def test_hostile_text_stays_text_and_no_page_is_too_long(
    shell: Embedded, full: httpx.AsyncClient
) -> None:
    record = shell.index.get("article-1")
    story = record.story_id if record else ""
    subscription = shell.subscriptions.all()[0].id
    paths = (*PATHS, f"/subscriptions/{subscription}", f"/stories/{story}")
    for path in paths:
        answer = await full.get(path)
        assert answer.headers["content-type"].startswith("text/html"), path
        assert answer.status_code in (200, 400, 404), path
        assert len(answer.content) < MOST_BYTES, (path, len(answer.content))
        for part in ("<img", "<script>", "alert(1)>", "onerror=alert(1)>"):
            assert part not in answer.text.replace("&gt;", "&"), path
        assert " style=" not in answer.text, path


async def test_a_story_shows_its_articles_and_what_was_changed(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    first = "The ferry runs again after the storm, and the harbour master says so himself."
    second = first.replace("says so himself", "does not say so")
    both = [sighting("one", first, title="Ferry"), sighting("one", second, title="Ferry")]
    await carry(shell, both)
    record = shell.index.get("one")
    assert record is not None
    page = (await browser.get(f"/stories/{record.story_id}")).text
    assert "<del> says so himself.</del>" in page
    assert 'href="/articles/one?revision=2"' in page
    compared = (await browser.get("/articles/one?revision=2")).text
    assert "What revision 2 changed" in compared
    assert "<ins> does not say so.</ins>" in compared
    assert (await browser.get("/articles/one?revision=7")).status_code == 404


async def test_a_long_article_is_read_in_parts(shell: Embedded, browser: httpx.AsyncClient) -> None:
    words = " ".join(f"word{number}" for number in range(5_000))
    await carry(shell, [sighting("long", words, title="Long")])
    pages = []
    for number in (1, 2, 3, 4, 5):
        answer = await browser.get("/articles/long", params={"part": number})
        pages.append(answer.text)
        if 'rel="next"' not in answer.text:
            break
    told = [word for page in pages for word in _text_of(page).split()]
    assert told == words.split()


def _text_of(page: str) -> str:
    inside = page.partition('<div class="text"')[2].partition("</div>")[0]
    return " ".join(part.partition("</p>")[0] for part in inside.split('<p dir="auto">')[1:])


async def test_a_search_marks_the_words_and_links_narrow_it(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    await carry(shell)
    found = (await browser.get("/?q=ferry")).text
    assert "2 articles" in found
    assert "<mark>Ferry</mark> runs" in found
    assert 'href="/?q=ferry+source%3Aport.example"' in found
    assert "/?q=ferry&amp;since=" in found
    assert 'href="/subscriptions?q=ferry#new"' in found
    narrowed = (await browser.get("/?q=ferry+source:port.example")).text
    assert 'href="/?q=ferry" class="chosen"' in narrowed


async def test_a_query_too_long_for_links_is_narrowed_by_buttons(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    await carry(shell)
    query = "ferry OR " + " OR ".join(f"word{number}" for number in range(60))
    page = await browser.get("/", params={"q": query})
    assert 'name="toggle" value="source:port.example"' in page.text
    narrowed = await browser.get("/", params={"q": query, "toggle": "source:port.example"})
    assert narrowed.url.params["q"] == f"({query}) source:port.example"
    back = await browser.get(
        "/", params={"q": narrowed.url.params["q"], "toggle": "source:port.example"}
    )
    assert back.url.params["q"] == query


async def test_times_are_in_the_zone_that_the_browser_told(
    shell: Embedded, browser: httpx.AsyncClient
) -> None:
    await carry(shell)
    assert 'Times are in <span id="zone">UTC</span>' in (await browser.get("/")).text
    browser.cookies.set("zone", "Asia/Tokyo")
    found = (await browser.get("/?q=ferry")).text
    assert "Asia/Tokyo" in found
    hour = (datetime.now(UTC) + timedelta(hours=9)).strftime("%H:")
    assert hour in found


async def test_a_program_is_told_problems_and_a_browser_a_page(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get("/articles/none")
    assert (page.status_code, "Main" in page.text) == (404, True)
    problem = await browser.get("/articles/none", headers={"accept": "*/*"})
    assert problem.headers["content-type"] == "application/problem+json"
    problem = await browser.get("/api/articles/none")
    assert problem.headers["content-type"] == "application/problem+json"


async def test_files_are_kept_by_browsers_and_change_their_address(
    browser: httpx.AsyncClient,
) -> None:
    frame = Frame()
    for name in frame.files:
        kept = await browser.get(f"/static/{frame.version}/{name}")
        assert "immutable" in kept.headers["cache-control"]
        assert len(kept.content) < 20_000
        assert kept.content == (await browser.get(f"/static/{name}")).content
    other = await browser.get(f"/static/older/{name}")
    assert other.headers["cache-control"] == "no-store"
    assert (await browser.get("/static/none.css")).status_code == 404


async def test_the_style_is_linked_and_nothing_is_inline(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    assert f'href="/static/{Frame().version}/wirewatch.css"' in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/')


async def test_the_check_of_an_unfinished_query_is_an_answer(browser: httpx.AsyncClient) -> None:
    good = (await browser.get("/query/check?q=ferry")).json()
    assert good["explanation"] == ["word ferry"]
    bad = await browser.get("/query/check", params={"q": "seen:3d", "use": "subscription"})
    assert (bad.status_code, bad.json()["caret"]) == (200, 0)
