"""F17, the index's part: what is as long as the limits allow is indexed and found by its id."""

from __future__ import annotations

from pathlib import Path

from processors.query import parse
from search.index import SearchRequest
from search.tantivy_index import TantivyIndex
from tests.story_records import story


def test_f17_an_oversized_article_is_indexed_and_found_by_id(tmp_path: Path) -> None:
    record = story(
        "a",
        f"{'x' * 390_000} behind",
        title="t" * 1000,
        guid="g" * 10_000_000,
        url=f"https://example.org/{'u' * 2000}",
        tags=tuple(f"{number} {'tag' * 100}" for number in range(10_000)),
        authors=("n" * 40_000,),
    )
    index = TantivyIndex(tmp_path)
    assert index.write([record]).rejected == {}
    assert index.get("a") == record
    for query in ("behind", f"tag:{'7 ' + 'tag' * 100!r}".replace("'", '"'), "x*", "title:t*"):
        hits = index.search(SearchRequest(query=parse(query))).hits
        assert [hit.article.id for hit in hits] == ["a"], query[:20]
    index.close()


def test_f17_a_word_beyond_the_engine_s_term_limit_does_not_hide_the_article(
    tmp_path: Path,
) -> None:
    index = TantivyIndex(tmp_path)
    index.write([story("a", "truce", authors=("n" * 70_000,), tags=("t" * 70_000, "war"))])
    assert index.count(parse("truce tag:war")) == 1
    index.close()
