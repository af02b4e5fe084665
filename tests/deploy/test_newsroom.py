"""The sample newsroom: fiction that is complete, grows, is edited, and reads without a note."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import aiohttp

from deploy.newsroom import Newsroom, items_at, load_outlets, render
from ingest.reading import Reading, read_feed
from processors.grouping import group_articles

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = START + timedelta(seconds=300)


def test_there_are_several_outlets_formats_and_languages_and_sixty_articles() -> None:
    outlets = load_outlets()

    assert {one.format for one in outlets} == {"rss", "atom", "json"}
    assert {"en", "es", "fr", "de", "ar"} <= {one.language for one in outlets}
    assert sum(len(one.articles) for one in outlets) >= 60
    assert any(article.edits for one in outlets for article in one.articles)
    ids = Counter(article.id for one in outlets for article in one.articles)
    assert max(ids.values()) == 1


def test_feeds_grow_and_an_edit_changes_a_text_under_the_same_guid() -> None:
    outlet = next(one for one in load_outlets() if any(a.edits for a in one.articles))
    edited = next(article for article in outlet.articles if article.edits)

    before = items_at(outlet, start=START, now=START + timedelta(seconds=edited.at + 1))
    after = items_at(outlet, start=START, now=END)

    assert len(before) < len(after)
    old = next(item for item in before if item.guid.endswith(edited.id))
    new = next(item for item in after if item.guid.endswith(edited.id))
    assert (old.guid, old.url) == (new.guid, new.url)
    assert (old.title, old.text) != (new.title, new.text)


def test_every_feed_is_read_whole_and_without_repairs() -> None:
    for outlet in load_outlets():
        items = items_at(outlet, start=START, now=END)
        body, content_type = render(outlet, items)
        reading = Reading(
            url=f"http://127.0.0.1{outlet.path}",
            feed_id="f",
            fetched=END,
            content_type=content_type,
        )

        read = read_feed(body, reading)

        assert len(read.articles) == len(outlet.articles) == len(items)
        for article, item in zip(read.articles, items, strict=True):
            assert article.notes == ()
            assert (article.title, article.source) == (item.title, outlet.host)
            assert article.published == item.published.replace(microsecond=0)
            assert article.language_declared == outlet.language


def test_a_text_taken_over_by_another_outlet_is_found_as_a_copy() -> None:
    articles = sorted((a for one in load_outlets() for a in one.articles), key=lambda a: a.at)
    lines = group_articles(
        {
            "id": a.id,
            "title": a.title,
            "text": a.text,
            "seen": (START + timedelta(seconds=a.at)).isoformat(),
        }
        for a in articles
    )

    copies = {line["id"]: line["copy_of"] for line in lines if line["copy_of"]}

    assert copies["hc-001"] == "mw-001"
    assert copies["hc-008"] == "mw-007"


async def test_the_newsroom_serves_every_feed_on_loopback() -> None:
    newsroom = Newsroom(load_outlets(), start=datetime.now(UTC))
    await newsroom.open()
    try:
        async with aiohttp.ClientSession() as session:
            for url in newsroom.feed_urls:
                assert url.startswith("http://127.0.0.1:")
                async with session.get(url) as answer:
                    assert answer.status == 200
                    assert await answer.read()
    finally:
        await newsroom.close()
