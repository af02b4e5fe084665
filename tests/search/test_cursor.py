"""Cursors of pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UsageError
from search.cursor import Cursor, read_cursor, write_cursor


@given(st.integers(0, 2**42), st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_cursor_comes_back_as_it_was_written(ms: int, name: str) -> None:
    cursor = Cursor(sort="oldest", ms=ms, article_id=name)
    assert read_cursor(write_cursor(cursor), sort="oldest") == cursor


@given(st.text(max_size=20))
def test_other_text_is_refused_or_is_a_cursor(text: str) -> None:
    try:
        found = read_cursor(text, sort="newest")
    except UsageError:
        return
    assert (found is None) == (text == "")


def test_a_place_by_relevance_is_a_number() -> None:
    cursor = Cursor(sort="relevance", position=40)
    assert read_cursor(write_cursor(cursor), sort="relevance") == cursor
    with pytest.raises(UsageError):
        read_cursor(write_cursor(cursor), sort="newest")
