from __future__ import annotations

from datetime import UTC, datetime

from ingest.entry import ParsedFeed, RawEntry
from ingest.log import MAX_RECORD_BYTES
from ingest.normalise import normalise
from ingest.wire import encode

MEGABYTES_10 = 10_000_000


def test_f17_huge_title_guid_text_and_tags_are_cut_and_flagged_and_still_told_apart() -> None:
    guid = "é" * MEGABYTES_10
    entry = RawEntry(
        title='"é' * (MEGABYTES_10 // 2),
        body='<p>"\\é</p>\n' * (MEGABYTES_10 // 12),
        authors=tuple('"é' * 1_000 + str(n) for n in range(1_000)),
        tags=tuple('"é' * 1_000 + str(n) for n in range(10_000)),
        published="9" * MEGABYTES_10,
        guid=guid,
    )
    other = RawEntry(title="Other", guid=guid[:-1] + "x", link="a" * MEGABYTES_10)
    first, second = normalise(
        ParsedFeed(entries=(entry, other)),
        feed_id="f" * 22,
        feed_url="https://example.com/feed",
        fetched=datetime(2026, 11, 22, tzinfo=UTC),
    )
    assert len(first.title) == 1_000
    assert first.title.endswith("…")
    assert first.text.endswith("…")
    assert len(first.text.encode()) <= 400_000
    assert len(first.tags) <= 50
    assert max(map(len, first.tags)) <= 300
    assert {"title cut", "text cut", "guid cut"} <= set(first.notes)
    # Elasticsearch refuses a term above 32,766 bytes, and Tantivy cannot find a very long one.
    assert len(first.guid.encode()) < 8_000
    assert len(encode(first)) < MAX_RECORD_BYTES
    assert second.url == ""
    assert first.id != second.id


def test_f17_text_of_the_heaviest_characters_stays_below_the_record_limit() -> None:
    for unit in ('"', "\\", "a\n", "😀", "&quot;", "\x85\u2028x"):
        entry = RawEntry(body=unit * 500_000, body_is_html=False, title=unit * 2_000)
        (found,) = normalise(
            ParsedFeed(entries=(entry,)),
            feed_id="f",
            feed_url="https://example.com/feed",
            fetched=datetime(2026, 11, 22, tzinfo=UTC),
        )
        assert len(encode(found)) < MAX_RECORD_BYTES * 2 // 3
