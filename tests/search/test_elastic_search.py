"""Searches on a real Elasticsearch: the embedded index's answers, and what only it can do wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from deploy.servers.ports import free_port
from ingest.errors import UnavailableError
from ingest.wire import format_time
from processors.query import parse
from processors.records import StoryRecord
from search import answer
from search.cursor import Cursor
from search.index import Index, SearchRequest, SearchResult, Sort
from search.milliseconds import milliseconds
from search.tantivy_index import TantivyIndex
from tests.processors.query_strategies import JOINTS, WORDS
from tests.story_records import SEEN, mixed_stories, stories, story

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from elasticsearch import Elasticsearch

from search.elastic_index import ElasticIndex
from search.elastic_names import Names
from search.elastic_reader import ElasticReader
from search.elastic_search import ElasticEngine
from search.elastic_settings import ElasticSettings
from tests.elastic_room import SeenAtOnce

LAST_DAY = datetime.fromisoformat("2026-10-31T23:59:59.980Z")
"""What is seen within 40 ms of it lies in two months, so in two indices."""

QUERIES = (
    *("truce", "NOT truce", "tru*", "*ce", '"cease fire"', "=US", "talk OR us", "x NEAR/2 talk"),
    *("truce SAMESENT talk", "us NOT WITHIN talk", "ATLEAST/2(us talk x)", "title:us", "停"),
    *("source:bbc.co.uk", "topic:truce", "lang:ar", "tag:us", "seen:>2026-10-31T23:59:59.990Z"),
    *("absent", "zz* SAMESENT us", "*?????e", "t*????? SAMESENT us"),
)
VERIFIED = "n?????* truce"
"""What the engine only gives candidates for; all of ``stories`` match."""

SORTS: tuple[Sort, ...] = ("newest", "oldest")


@pytest.fixture
def index(elastic: ElasticSettings) -> Iterator[ElasticIndex]:
    found = SeenAtOnce(elastic)
    yield found
    found.close()


def over_two_months() -> list[StoryRecord]:
    records = mixed_stories(random.Random(8), words=WORDS, joints=JOINTS, count=120)
    earlier = SEEN - LAST_DAY
    return [
        replace(one, article=replace(one.article, seen=one.article.seen - earlier))
        for one in records
        if one.article.seen is not None
    ]


def answers(index: Index, request: SearchRequest) -> list[SearchResult]:
    """All pages."""
    found = []
    while True:
        result = index.search(request)
        found.append(replace(result, took_ms=0))
        if not result.after:
            return found
        request = replace(request, after=result.after)


def test_every_answer_is_that_of_the_embedded_index(index: ElasticIndex, tmp_path: Path) -> None:
    embedded = TantivyIndex(tmp_path)
    for one in (index, embedded):
        one.write(over_two_months())
    for text, sort, group in product(QUERIES, SORTS, (False, True)):
        request = SearchRequest(
            query=parse(text, where="search"),
            sort=sort,
            group=group,
            size=30,
            facets=("topic", "source", "lang"),
            interval="1h",
        )
        assert answers(index, request) == answers(embedded, request), text
        assert index.count(request.query) == embedded.count(request.query)
        assert index.hits_a_day(request.query) == embedded.hits_a_day(request.query)
    for n in range(40):
        assert index.story(f"story-{n}") == embedded.story(f"story-{n}")
    embedded.close()


@pytest.mark.parametrize("query", ["truce", "truce SAMESENT talks"])
def test_a_cursor_goes_on_after_news_came_in(index: ElasticIndex, query: str) -> None:
    index.write(stories(20))
    request = SearchRequest(query=parse(query), size=8)
    first = index.search(request)
    later = SEEN + timedelta(days=40)
    index.write([story("news", "truce talks", order=99, seen=later)])
    second = index.search(replace(request, after=first.after))
    shown = [hit.article.id for hit in (*first.hits, *second.hits)]
    assert shown == [f"article-{number:05}" for number in range(19, 3, -1)]
    assert index.search(request).hits[0].article.id == "news"


def test_rows_go_on_behind_ten_thousand(index: ElasticIndex, elastic: ElasticSettings) -> None:
    index.write(stories(1))
    month = Names(elastic.prefix).month(SEEN, 1)
    ids = [f"a{number:05}" for number in range(10_300)]
    lines: list[Mapping[str, Any]] = []
    for name in ids:
        lines.append({"index": {"_id": name}})
        lines.append({"id": name, "seen": format_time(SEEN), "title_words": "many"})
    with Elasticsearch(elastic.url) as client:
        client.bulk(index=month, operations=lines, refresh=True)
    with index._reader.engine() as engine:
        query = engine.queries().any_of([{"term": {"title_words": "many"}}])
        assert [row.id for row in engine.by_time(query, newest_first=False)] == ids
        assert engine.count(query) == 10_300
        edge = Cursor(sort="newest", ms=milliseconds(SEEN), article_id=ids[100])
        rest = engine.by_time(query, newest_first=True, behind=edge)
        assert [row.id for row in rest] == ids[99::-1]


def test_more_candidates_than_are_verified_make_the_total_a_lower_bound(
    index: ElasticIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "EXACT_CANDIDATES", 20)
    index.write([replace(one, story_id=f"s{n % 50}") for n, one in enumerate(stories(100))])
    request = SearchRequest(query=parse(VERIFIED), size=7)
    found = answers(index, request)
    assert (found[0].total, found[0].relation) == (20, "gte")
    shown = [hit.article.id for page in found for hit in page.hits]
    assert shown == [f"article-{number:05}" for number in range(99, -1, -1)]
    grouped = [
        hit.story_id for page in answers(index, replace(request, group=True)) for hit in page.hits
    ]
    assert grouped == [f"s{number % 50}" for number in range(99, 49, -1)]


@pytest.mark.parametrize("query", ['"w* end"', "w* NEAR/3 end", "w* NOT WITHIN end"])
def test_wildcards_beyond_what_the_engine_takes_are_verified(
    index: ElasticIndex, query: str
) -> None:
    words = " ".join(f"w{number}" for number in range(9_000))
    index.write([story("a", f"{words} end truce", order=1), story("b", "vx other end", order=2)])
    result = index.search(SearchRequest(query=parse(query), facets=("lang",)))
    assert [hit.article.id for hit in result.hits] == ["a"]
    assert (result.total, result.facets) == (1, {"lang": [{"value": "en", "count": 1}]})


def test_an_index_without_articles_finds_nothing(index: ElasticIndex) -> None:
    for query in ("truce", VERIFIED):
        result = index.search(SearchRequest(query=parse(query), group=True, facets=("lang",)))
        assert (result.total, result.hits, result.facets) == (0, (), {"lang": []})
    assert index.get("a") is None
    assert index.story("a") == []


def test_what_some_shards_cannot_answer_is_no_answer(
    index: ElasticIndex, elastic: ElasticSettings
) -> None:
    index.write(stories(3))
    with Elasticsearch(elastic.url) as client:
        lost = f"{elastic.prefix}-articles-2026.12"
        nowhere = {"index.routing.allocation.require._name": "nobody"}
        client.indices.create(
            index=lost,
            settings=nowhere,
            aliases={Names(elastic.prefix).articles: {}},
            wait_for_active_shards="0",
            timeout="1s",
        )
        for query in ("truce", VERIFIED):
            with pytest.raises(UnavailableError) as caught:
                index.search(SearchRequest(query=parse(query)))
            assert "cannot search all articles" in caught.value.sentence
        client.indices.delete(index=lost)
    assert index.count(parse("truce")) == 3


def test_an_absent_server_is_named_within_the_time_for_an_answer() -> None:
    settings = ElasticSettings(url=f"http://127.0.0.1:{free_port()}", answer_seconds=2)
    client = Elasticsearch(settings.url, request_timeout=2, max_retries=0)
    reader = ElasticReader(client, "wirewatch-articles", settings)
    started = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        reader.search(SearchRequest(query=parse("truce")))
    assert settings.url in caught.value.sentence
    assert time.monotonic() - started < 3
    client.close()


def test_a_search_leaves_no_view_open(index: ElasticIndex, elastic: ElasticSettings) -> None:
    index.write(stories(40))
    with Elasticsearch(elastic.url) as client:
        for _ in range(3):
            index.search(SearchRequest(query=parse(VERIFIED), size=5, group=True))
        found = client.indices.stats(index=f"{elastic.prefix}-articles-*", metric="search")
        assert found["_all"]["total"]["search"]["open_contexts"] == 0


def test_totals_come_with_the_page(index: ElasticIndex) -> None:
    index.write(stories(3))
    with index._reader.engine(size=2) as engine:
        assert isinstance(engine, ElasticEngine)
        query = engine.queries().everything()
        next(engine.by_time(query, newest_first=True))
        assert engine._counted == (query, 3)
