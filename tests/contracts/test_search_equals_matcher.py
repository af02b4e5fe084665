"""A search finds exactly the articles that the definition of matching names, form by form.

On each engine; the index on Elasticsearch has fewer cases, each a few requests.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ingest.errors import QueryError
from processors.document import Document, document
from processors.query import parse
from processors.query_tree import Query
from processors.records import StoryRecord
from processors.reference import matches, spans
from search.certain import certain
from search.engine import Engine
from search.highlights import highlighted
from search.index import Index, SearchRequest, Sort
from search.tantivy_index import TantivyIndex
from search.translate import translate
from tests.processors.query_strategies import JOINTS, WORDS, operands, positionals, queries
from tests.story_records import SEEN, mixed_stories

COUNT = 160
CASES = {"tantivy": 1000, "elastic": 240}
SORTS: list[Sort] = ["newest", "oldest"]

View: TypeAlias = AbstractContextManager[Engine[Any, Any]]


class Searched:
    """An index, what it is made on, and the documents in it."""

    def __init__(self, index: Index, view: Callable[[], View], *, cases: int) -> None:
        records = mixed_stories(random.Random(7), words=WORDS, joints=JOINTS, count=COUNT)
        self.records: dict[str, StoryRecord] = {one.article.id: one for one in records}
        self.documents: dict[str, Document] = {
            name: document(one.article, one.topics) for name, one in self.records.items()
        }
        self.index = index
        self._view = view
        self._cases = cases
        for part in range(4):  # several segments
            assert not self.index.write(records[part::4]).rejected
        self.index.refresh()

    def run(
        self, share: float, check: Callable[..., None], *strategies: st.SearchStrategy[Any]
    ) -> None:
        """``check`` examples of ``strategies``: this share of what the engine gets."""
        count = max(1, round(self._cases * share))
        thorough = settings(
            max_examples=count, deadline=None, suppress_health_check=list(HealthCheck)
        )
        examples: Callable[[], None] = given(*strategies)(check)
        thorough(examples)()

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
        for hit in self.index.search(SearchRequest(query=query, size=3)).hits:
            found = self.documents[hit.article.id]
            assert hit.highlights == highlighted(found, spans(query, found, with_lead=False))
        for cautious in (False, True):
            self.check_candidates(query, expected, cautious=cautious)

    def check_candidates(self, query: Query, expected: list[str], *, cautious: bool) -> None:
        with self._view() as engine:
            queries_of_engine = engine.queries(cautious=cautious)
            found = translate(query.root, queries_of_engine)
            candidates = {row.id for row in engine.by_time(found.query, newest_first=True)}
            sure = certain(query.root, queries_of_engine) or found.query
            surely = {row.id for row in engine.by_time(sure, newest_first=True)}
        assert candidates >= set(expected)
        assert not found.exact or len(candidates) == len(expected)
        assert sure is found.query or surely <= set(expected)

    def check_pages(self, text: str, size: int, sort: Sort) -> None:
        try:
            query = parse(text, where="search")
        except QueryError:
            assume(False)  # noqa: FBT003 - how Hypothesis skips a case
        request = SearchRequest(query=query, size=size, sort=sort, highlights=False)
        found: list[str] = []
        while True:
            result = self.index.search(request)
            found += [hit.article.id for hit in result.hits]
            if not result.after:
                break
            request = replace(request, after=result.after)
        expected = self.expected(query)
        assert found == (expected if sort == "newest" else expected[::-1])


def on_tantivy(folder: Path, *, cases: int = CASES["tantivy"]) -> Searched:
    """The documents in an index of the embedded engine in ``folder``."""
    from search.tantivy_search import TantivyEngine  # noqa: PLC0415  beside the other engine

    index = TantivyIndex(folder)
    return Searched(
        index, lambda: nullcontext(TantivyEngine(index._generation.searcher())), cases=cases
    )


def on_elasticsearch(url: str, *, cases: int = CASES["elastic"]) -> Searched:
    """The documents in an index of their own in the Elasticsearch at ``url``."""
    pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")
    from search.elastic_index import ElasticIndex  # noqa: PLC0415  needs the extra
    from search.elastic_settings import ElasticSettings  # noqa: PLC0415  as above

    index = ElasticIndex(ElasticSettings(url=url, prefix=f"matcher-{uuid4().hex[:8]}"))
    return Searched(index, index._reader.engine, cases=cases)


@pytest.fixture(scope="module", params=["tantivy", "elastic"])
def searched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Searched]:
    if request.param == "tantivy":
        found = on_tantivy(tmp_path_factory.mktemp("index"))
    else:
        found = on_elasticsearch(request.getfixturevalue("elasticsearch_server").url)
    yield found
    found.index.close()


def timed(query: str) -> st.SearchStrategy[str]:
    times = ("seen:1h", "seen:>2026-11-01T12:00:00.011Z", "published:2026-11-01", "-seen:<2026")
    return st.sampled_from((query, *(f"{query} {one}" for one in times)))


def test_a_search_finds_what_the_definition_says(searched: Searched) -> None:
    searched.run(1, searched.check, queries().flatmap(timed))


def test_positions_are_found_as_the_definition_says(searched: Searched) -> None:
    searched.run(0.5, searched.check, positionals())


def test_an_outer_phrase_as_long_as_the_inner_one_is_seen(searched: Searched) -> None:
    searched.check('"U.S." NOT WITHIN (U.S. OR 停战)')


def test_wide_distances_are_found_as_the_definition_says(searched: Searched) -> None:
    wide = st.builds("{} NEAR/{} {}".format, operands(), st.integers(5, 50), operands())
    searched.run(0.1, searched.check, wide)


def test_pages_follow_each_other_without_gap_or_repeat(searched: Searched) -> None:
    sizes, sorts = st.integers(4, 50), st.sampled_from(SORTS)
    searched.run(0.05, searched.check_pages, queries(), sizes, sorts)
