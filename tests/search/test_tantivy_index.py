"""What the embedded index does beside the contract: files, recovery, limits of its engine."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import StoreError, UnavailableError
from processors.query import parse
from search import answer
from search.answer import Answer
from search.index import SearchRequest
from search.tantivy_index import TantivyIndex
from search.tantivy_schema import place, time_of
from search.tantivy_search import TantivyEngine
from tests.story_records import SEEN, stories, story

TRUCE = parse("truce")


@pytest.fixture
def index(tmp_path: Path) -> TantivyIndex:
    return TantivyIndex(tmp_path / "index")


def test_places_sort_by_time_then_by_id() -> None:
    pairs = [(ms, name) for ms in (0, 5, 6, 2**41) for name in ("", "A", "AAAB", "Z", "a", "é")]
    places = [place(ms, name) for ms, name in pairs]
    assert places == sorted(places)
    assert [time_of(one) for one in places] == [ms for ms, _ in pairs]


def test_times_beyond_what_a_place_holds_still_sort(index: TantivyIndex) -> None:
    years = (1950, 1970, 2026, 2109, 2200, 2300)
    index.write(
        [
            story(f"{year}", "truce", order=year, seen=datetime(year, 1, 1, tzinfo=UTC))
            for year in years
        ]
    )
    found = index.search(SearchRequest(query=TRUCE, sort="oldest", size=4))
    rest = index.search(SearchRequest(query=TRUCE, sort="oldest", after=found.after))
    shown = [hit.article.id for hit in (*found.hits, *rest.hits)]
    assert shown == [str(year) for year in years]


def test_an_article_that_was_never_seen_is_found_and_comes_last(index: TantivyIndex) -> None:
    known = story("a", "truce", order=1)
    index.write([known, replace(known, article=replace(known.article, id="b", seen=None))])
    result = index.search(SearchRequest(query=TRUCE))
    assert [hit.article.id for hit in result.hits] == ["a", "b"]
    assert index.count(parse("truce seen:>2000-01-01", where="search")) == 1


def test_more_candidates_than_are_verified_make_the_total_a_lower_bound(
    index: TantivyIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "EXACT_CANDIDATES", 20)
    index.write(stories(100))
    request = SearchRequest(query=parse("truce SAMESENT talks"), size=7)
    result = index.search(request)
    assert (result.total, result.relation) == (20, "gte")
    shown = []
    while True:
        shown += [hit.article.id for hit in result.hits]
        if not result.after:
            break
        result = index.search(replace(request, after=result.after))
    assert shown == [f"article-{number:05}" for number in range(99, -1, -1)]


def test_a_page_may_end_early_with_a_cursor_where_little_matches(
    index: TantivyIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "EXACT_CANDIDATES", 20)
    index.write(stories(100))
    query = parse("talks SAMESENT truce -number8* -number9* -number7*")
    request = SearchRequest(query=query, size=7)
    shown, pages = [], 0
    while True:
        result = index.search(request)
        pages += 1
        shown += [hit.article.id for hit in result.hits]
        if not result.after:
            break
        request = replace(request, after=result.after)
    assert len(shown) == len(set(shown)) == 67
    assert pages > 67 // 7


def test_wildcards_beyond_what_the_engine_takes_are_verified(index: TantivyIndex) -> None:
    words = " ".join(f"w{number}" for number in range(17_000))
    index.write([story("a", f"{words} end truce", order=1), story("b", "wx. other end", order=2)])
    query = parse('"w* end"')
    engine = TantivyEngine(index._generation.searcher())
    assert Answer(engine, SearchRequest(query=query)).exact
    assert not Answer(engine, SearchRequest(query=query), cautious=True).exact
    assert [hit.article.id for hit in index.search(SearchRequest(query=query)).hits] == ["a"]


def test_a_second_writer_is_told_to_wait(index: TantivyIndex, tmp_path: Path) -> None:
    index.write(stories(1))
    second = TantivyIndex(tmp_path / "index")
    assert second.count(TRUCE) == 1
    with pytest.raises(UnavailableError):
        second.write(stories(2))
    index.close()
    second.write(stories(2))
    assert second.count(TRUCE) == 2


def test_a_folder_that_is_no_index_is_named(tmp_path: Path) -> None:
    TantivyIndex(tmp_path).close()
    (tmp_path / "1" / "meta.json").write_text("{")
    with pytest.raises(StoreError) as caught:
        TantivyIndex(tmp_path)
    assert str(tmp_path) in caught.value.sentence
    (tmp_path / "current").write_text("one")
    with pytest.raises(StoreError):
        TantivyIndex(tmp_path)


def test_what_a_killed_rebuild_left_behind_is_deleted(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path)
    index.write(stories(3))
    index.successor().write(stories(1))
    index.close()
    again = TantivyIndex(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["1", "current"]
    again.successor().take_over()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["2", "current"]


def test_searches_see_whole_writes_while_others_are_written(index: TantivyIndex) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def search() -> None:
        while not stop.is_set():
            seen.append(index.search(SearchRequest(query=TRUCE, highlights=False)).total)

    thread = threading.Thread(target=search)
    thread.start()
    for number in range(1, 6):
        index.write(stories(20 * number))
    stop.set()
    thread.join()
    assert seen == sorted(seen)
    assert set(seen) <= {0, 20, 40, 60, 80, 100}


def test_hits_a_day_of_one_moment_is_a_count(index: TantivyIndex) -> None:
    index.write(
        [story("a", "truce", seen=SEEN), story("b", "truce", seen=SEEN + timedelta(hours=1))]
    )
    assert index.hits_a_day(TRUCE) == 2
