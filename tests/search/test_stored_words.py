"""The packed words of an article say what the article says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.analysis import analyse
from processors.document import Document, Metadata
from processors.query import parse
from processors.reference import matches
from search.stored_words import pack, unpack
from tests.processors.query_strategies import documents


@settings(max_examples=300, deadline=None)
@given(documents(), st.sampled_from([None, datetime(2026, 11, 1, 1, 2, 3, 4000, UTC)]))
def test_unpacking_gives_the_words_that_were_packed(
    document: Document, moment: datetime | None
) -> None:
    metadata = replace(document.metadata, published=moment, seen=moment)
    document = Document(document.title, document.body, metadata)
    found = unpack(pack(document))
    assert found.metadata == metadata
    assert found.values == document.values
    pairs = [
        (found.title, document.title),
        (found.body, document.body),
        (found.lead, document.lead),
    ]
    for mine, original in pairs:
        assert mine.words == original.words
        assert mine.cased == original.cased
        assert mine.sentences == original.sentences


@settings(max_examples=300, deadline=None)
@given(documents())
def test_words_stand_where_they_did(document: Document) -> None:
    found = unpack(pack(document))
    for word in {*document.body.words, "absent"}:
        assert [*found.body.places(word)] == [*document.body.places(word)]


def test_times_are_kept_in_milliseconds_as_records_keep_them() -> None:
    seen = datetime(2026, 11, 1, 0, 0, 0, 1999, UTC)
    found = unpack(pack(Document(analyse("a"), analyse("b"), Metadata(seen=seen))))
    assert found.metadata.seen == datetime(2026, 11, 1, 0, 0, 0, 1000, UTC)
    assert matches(parse("seen:2026-11-01", where="search"), found)
