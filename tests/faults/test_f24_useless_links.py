from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.article import Article
from ingest.entry import ParsedFeed, RawEntry
from ingest.normalise import normalise

FEED_URL = "https://www.example.com/feed.xml"


def _article(entry: RawEntry) -> Article:
    (found,) = normalise(
        ParsedFeed(entries=(entry,), home_url="https://www.example.com/"),
        feed_id="f",
        feed_url=FEED_URL,
        fetched=datetime(2026, 11, 22, tzinfo=UTC),
    )
    return found


def _entry(*, link: str = "", guid: str = "", published: str = "2026-11-20T10:00:00Z") -> RawEntry:
    return RawEntry(title="Talks", published=published, link=link, guid=guid)


def test_f24_entry_without_guid_and_link_is_named_by_title_and_day() -> None:
    morning, noon = _article(_entry()), _article(_entry(published="2026-11-20T12:00:00Z"))
    tomorrow = _article(_entry(published="2026-11-21T10:00:00Z"))
    assert morning.id == noon.id
    assert morning.id != tomorrow.id
    assert morning.url == ""
    assert morning.source == "example.com"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(document.cookie)",
        "JAVA\nSCRIPT:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "http://",
        "https://[",
    ],
)
def test_f24_link_that_runs_code_or_leads_nowhere_is_hidden_and_names_nothing(link: str) -> None:
    found = _article(_entry(link=link))
    assert not found.url.lower().startswith(("javascript:", "data:", "vbscript:", "file:"))
    assert "script:" not in found.url.partition("//")[0]
    if not found.url:
        assert found.id == _article(_entry()).id
        assert "link hidden" in found.notes


def test_f24_relative_link_is_resolved() -> None:
    assert _article(_entry(link="/news/talks")).url == "https://www.example.com/news/talks"


def test_f24_guid_that_a_reader_took_for_a_link_is_hidden() -> None:
    found = _article(_entry(link="42", guid="42"))
    assert found.url == ""
    assert found.id == _article(_entry(guid="42")).id


def test_f24_front_page_as_link_of_every_entry_merges_none() -> None:
    entries = tuple(
        RawEntry(title=f"Story {number}", link="https://www.example.com") for number in range(5)
    )
    found = normalise(
        ParsedFeed(entries=entries, home_url="https://www.example.com/"),
        feed_id="f",
        feed_url=FEED_URL,
        fetched=datetime(2026, 11, 22, tzinfo=UTC),
    )
    assert len({one.id for one in found}) == 5
