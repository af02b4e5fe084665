from __future__ import annotations

from datetime import UTC, datetime

from ingest.article import Article
from ingest.entry import ParsedFeed, RawEntry
from ingest.normalise import normalise


def _articles(*entries: RawEntry) -> tuple[Article, ...]:
    return normalise(
        ParsedFeed(home_url="https://example.com/", entries=entries),
        feed_id="f",
        feed_url="https://example.com/feed",
        fetched=datetime(2026, 11, 22, tzinfo=UTC),
    )


def test_f21_one_guid_with_other_link_and_title_gives_two_articles() -> None:
    first, second = _articles(
        RawEntry(guid="7", link="/bridge", title="Bridge opens"),
        RawEntry(guid="7", link="/storm", title="Storm hits the coast"),
    )
    assert first.id != second.id


def test_f21_one_guid_with_the_same_link_gives_two_versions_of_one_article() -> None:
    first, second = _articles(
        RawEntry(guid="7", link="/bridge", title="Bridge opens"),
        RawEntry(guid="7", link="/bridge", title="Bridge opens at last"),
    )
    assert first.id == second.id
    assert first.content_hash != second.content_hash


def test_f21_one_guid_for_a_whole_feed_hides_no_entry() -> None:
    home = "https://example.com/"
    found = _articles(
        *(RawEntry(guid=home, link=home, title=f"Story {number}") for number in range(20))
    )
    assert len({one.id for one in found}) == 20
