"""F54: lists of feeds that are huge, deep, hostile or full of doubles."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import FileError
from ingest.feed_list import read_feed_list
from ingest.feed_store import FeedStore
from ingest.log import topic_specs
from ingest.opml import write_opml
from ingest.sqlite_log import SqliteLog

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def outline(number: int) -> str:
    return f'<outline text="Feed {number}" xmlUrl="https://site{number % 997}.example/{number}"/>'


def opml(*parts: str) -> str:
    return f'<opml version="2.0"><body>{"".join(parts)}</body></opml>'


def test_f54_fifty_thousand_feeds_are_read_at_once_and_counted() -> None:
    doubles = [outline(number) for number in range(100)]
    bad = ['<outline text="x" xmlUrl="file:///etc/passwd"/>'] * 3
    started = time.monotonic()
    report = read_feed_list(
        opml(*(outline(number) for number in range(50_000)), *doubles, *bad),
        "all.opml",
        added=NOW,
    )
    assert (len(report.added), len(report.skipped), len(report.refused)) == (50_000, 100, 3)
    assert time.monotonic() - started < 60
    assert len(write_opml(report.added)) > 1_000_000


def test_f54_ten_thousand_nested_folders_cost_no_recursion_and_little_memory() -> None:
    deep = 10_000
    text = opml('<outline text="Folder">' * deep, outline(1), "</outline>" * deep)
    (feed,) = read_feed_list(text, "deep.opml", added=NOW).added
    assert len(feed.groups[0]) < 1_000
    assert write_opml([feed]).count("<outline") < 20


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x SYSTEM "http://127.0.0.1:9/x">',
        '<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;',
        '<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;&a;">',
    ],
)
def test_f54_a_list_that_declares_entities_is_refused(declaration: str) -> None:
    text = f"<!DOCTYPE opml [{declaration}]>" + opml(
        '<outline text="&x;" xmlUrl="https://a.example/"/>'
    )
    with pytest.raises(FileError, match="entities"):
        read_feed_list(text, "evil.opml", added=NOW)


def test_f54_an_external_document_type_is_never_fetched() -> None:
    text = '<!DOCTYPE opml SYSTEM "http://127.0.0.1:9/opml.dtd">' + opml(outline(1))
    assert len(read_feed_list(text, "dtd.opml", added=NOW).added) == 1


def test_f54_a_list_that_breaks_off_imports_nothing(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.db")
    log.ensure_topics(topic_specs())
    store = FeedStore(log)
    text = "\n".join(['<opml version="2.0"><body>', *(outline(n) for n in range(100))])
    with pytest.raises(FileError) as refusal:
        store.import_list(text, name="half.opml")
    assert "line 101" in refusal.value.sentence
    assert store.all() == []
    log.close()
