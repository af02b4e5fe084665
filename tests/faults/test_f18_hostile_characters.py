from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.article import Article
from ingest.entry import ParsedFeed, RawEntry
from ingest.normalise import normalise
from ingest.wire import decode, encode

FETCHED = datetime(2026, 11, 22, tzinfo=UTC)
# Lone surrogates too, which st.text() leaves out by itself.
ANY_TEXT = st.text(st.characters(categories=None), max_size=60)
HOSTILE = "".join(
    ["\0", "\x07", "\x1b", "\x7f", "\x9b", "\ud800", "\udfff", "\ufeff"]
    + [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
)


def _article(text: str) -> Article:
    entry = RawEntry(
        title=text, body=text, guid=text, link=text, authors=(text,), tags=(text,), language=text
    )
    (found,) = normalise(
        ParsedFeed(entries=(entry,), home_url=text),
        feed_id="f",
        feed_url="https://example.com/feed",
        fetched=FETCHED,
    )
    return found


def _fields(found: Article) -> list[str]:
    return [found.title, found.text, found.guid, found.url, *found.authors, *found.tags]


@pytest.mark.parametrize("bad", HOSTILE)
def test_f18_character_that_breaks_stores_or_readers_is_taken_out(bad: str) -> None:
    for text in (f"Cease{bad}fire", f"Cease&#{ord(bad)};fire"):
        for field in _fields(_article(text)):
            assert bad not in field


def test_f18_taken_out_characters_are_noted_and_the_words_stay() -> None:
    found = _article("Cease\0fire \u202eagreed\u202c")
    assert (found.title, found.text) == ("Ceasefire agreed", "Ceasefire agreed")
    assert "control characters removed" in found.notes


@given(ANY_TEXT)
def test_f18_any_text_survives_the_wire_and_the_store(text: str) -> None:
    found = _article(text)
    assert decode(Article, encode(found)) == found
    with sqlite3.connect(":memory:") as store:
        for field in _fields(found):
            (back, length) = store.execute("SELECT ?1, length(?1)", (field,)).fetchone()
            assert (back, length) == (field, len(field))
    store.close()
