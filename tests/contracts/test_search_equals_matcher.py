"""A search finds exactly the articles that the definition of matching names, form by form."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ingest.errors import QueryError
from processors.document import Document, document
from processors.query import parse
from processors.query_tree import Query
from processors.records import StoryRecord
from processors.reference import matches
from search.index import SearchRequest, Sort
from search.stored_fields import text_at
from search.tantivy_index import TantivyIndex
from search.translate import translate
from tests.processors.query_strategies import JOINTS, WORDS, operands, positionals, queries
from tests.story_records import SEEN, mixed_stories

COUNT = 160
CASES = 1000
SORTS: list[Sort] = ["newest", "oldest"]


class Searched:
    """An index and the documents in it."""

    def __init__(self, folder: Path) -> None:
        records = mixed_stories(random.Random(7), words=WORDS, joints=JOINTS, count=COUNT)
        self.records: dict[str, StoryRecord] = {one.article.id: one for one in records}
        self.documents: dict[str, Document] = {
            name: document(one.article, one.topics) for name, one in self.records.items()
        }
        self.index = TantivyIndex(folder)
        for part in range(4):  # several segments
            assert not self.index.write(records[part::4]).rejected

    def expected(self, query: Query) -> list[str]:
        found = [name for name, one in self.documents.items() if matches(query, one)]
        return sorted(found, key=lambda name: (self.records[name].article.seen, name), reverse=True)

    def check(self, text: str) -> None:
        try:
            query = parse(text, where="search", now=SEEN + timedelta(milliseconds=20))
        except QueryError:
            return
        expected = self.expected(query)
        try:
            result = self.index.search(SearchRequest(query=query, size=200, highlights=False))
        except QueryError:
            return
        assert [hit.article.id for hit in result.hits] == expected
        assert (result.total, result.relation) == (len(expected), "eq")
        for patterns_in_phrases in (True, False):
            self.check_candidates(query, expected, patterns_in_phrases=patterns_in_phrases)

    def check_candidates(
        self, query: Query, expected: list[str], *, patterns_in_phrases: bool
    ) -> None:
        found = translate(query.root, patterns_in_phrases=patterns_in_phrases)
        searcher = self.index._generation.searcher()
        hits = searcher.search(found.query, COUNT).hits
        candidates = {text_at(searcher, address, "id") for _, address in hits}
        assert candidates >= set(expected)
        assert not found.exact or len(candidates) == len(expected)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    found = Searched(tmp_path_factory.mktemp("index"))
    yield found
    found.index.close()


def timed(query: str) -> st.SearchStrategy[str]:
    times = ("seen:1h", "seen:>2026-11-01T12:00:00.011Z", "published:2026-11-01", "-seen:<2026")
    return st.sampled_from((query, *(f"{query} {one}" for one in times)))


THOROUGH = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))


@THOROUGH
@given(text=queries().flatmap(timed))
def test_a_search_finds_what_the_definition_says(searched: Searched, text: str) -> None:
    searched.check(text)


@settings(THOROUGH, max_examples=CASES // 2)
@given(text=positionals())
def test_positions_are_found_as_the_definition_says(searched: Searched, text: str) -> None:
    searched.check(text)


@settings(THOROUGH, max_examples=CASES // 10)
@given(left=operands(), right=operands(), distance=st.integers(5, 50))
def test_wide_distances_are_found_as_the_definition_says(
    searched: Searched, left: str, right: str, distance: int
) -> None:
    searched.check(f"{left} NEAR/{distance} {right}")


@settings(THOROUGH, max_examples=CASES // 10)
@given(text=queries(), size=st.integers(1, 50), sort=st.sampled_from(SORTS))
def test_pages_follow_each_other_without_gap_or_repeat(
    searched: Searched, text: str, size: int, sort: Sort
) -> None:
    try:
        query = parse(text, where="search")
    except QueryError:
        assume(False)  # noqa: FBT003 - how Hypothesis skips a case
    first = SearchRequest(query=query, size=size, sort=sort, highlights=False)
    found: list[str] = []
    after = ""
    while True:
        result = searched.index.search(replace(first, after=after))
        found += [hit.article.id for hit in result.hits]
        after = result.after
        if not after:
            break
    expected = searched.expected(query)
    assert found == (expected if sort == "newest" else expected[::-1])
