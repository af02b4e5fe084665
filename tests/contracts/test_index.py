"""What every index promises (search/index.py), on each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from ingest.errors import QueryError, UnavailableError, UsageError
from processors.query import parse
from search.index import Checkpoint, Index, SearchRequest, Sort
from search.tantivy_index import TantivyIndex
from tests.story_records import SEEN, stories, story

CHECKPOINT = Checkpoint(log="a-log", stories={0: 7}, links=2)


class MakeIndex(Protocol):
    """Opens an index; each call opens the same storage again, after the last was closed."""

    def __call__(self) -> Index: ...


@pytest.fixture(params=["tantivy", "elastic"])
def make_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeIndex]:
    opened: list[Index] = []

    def open_elastic() -> Index:
        pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")
        from tests.elastic_room import SeenAtOnce  # noqa: PLC0415  needs the extra

        return SeenAtOnce(request.getfixturevalue("elastic"))

    def make() -> Index:
        if opened:
            opened[-1].close()
        is_elastic = request.param == "elastic"
        opened.append(open_elastic() if is_elastic else TantivyIndex(tmp_path / "index"))
        return opened[-1]

    yield make
    opened[-1].close()


@pytest.fixture
def index(make_index: MakeIndex) -> Index:
    return make_index()


def ids(index: Index, query: str, *, sort: Sort = "newest", group: bool = False) -> list[str]:
    request = SearchRequest(query=parse(query), sort=sort, group=group)
    return [hit.article.id for hit in index.search(request).hits]


def pages(index: Index, request: SearchRequest) -> list[list[str]]:
    found = []
    while True:
        result = index.search(request)
        found.append([hit.article.id for hit in result.hits])
        if not result.after:
            return found
        request = replace(request, after=result.after)


def test_what_was_written_is_found_and_given_back_whole(index: Index) -> None:
    record = story("a1", "The truce holds.", title="A truce", topics=("truce",), tags=("War",))
    assert index.write([record]).written == 1
    index.refresh()
    assert ids(index, "truce") == ["a1"]
    assert index.get("a1") == record
    assert index.get("a2") is None


def test_what_was_written_is_there_after_a_restart(make_index: MakeIndex) -> None:
    make_index().write(stories(3), checkpoint=CHECKPOINT)
    again = make_index()
    assert again.checkpoint() == CHECKPOINT
    assert len(ids(again, "truce")) == 3


def test_what_was_erased_is_found_no_more_whatever_its_version(index: Index) -> None:
    index.write(stories(3), checkpoint=CHECKPOINT)
    index.refresh()
    gone = ids(index, "truce")[1]
    later = replace(CHECKPOINT, stories={0: 9})
    index.write((), checkpoint=later, removed=[gone, "never-there"])
    index.refresh()
    assert gone not in ids(index, "truce")
    assert index.get(gone) is None
    assert index.checkpoint() == later
    assert len(ids(index, "truce")) == 2
    index.write((), removed=[gone])  # a second time is harmless


def test_an_erased_article_does_not_move_with_its_story(index: Index) -> None:
    first, second = stories(2)
    index.write([first, second])
    index.refresh()
    index.write((), links={second.story_id: first.story_id}, removed=[second.article.id])
    index.refresh()
    assert [one.article.id for one in index.story(first.story_id)] == [first.article.id]


def test_a_new_index_has_no_checkpoint_and_finds_nothing(index: Index) -> None:
    assert index.checkpoint() is None
    assert index.outdated == ""
    result = index.search(SearchRequest(query=parse("NOT truce"), facets=("topic",), interval="1d"))
    assert (result.total, result.relation, result.hits) == (0, "eq", ())
    assert index.hits_a_day(parse("truce")) == 0


def test_a_checkpoint_alone_can_be_written_and_is_no_article(index: Index) -> None:
    index.write((), checkpoint=CHECKPOINT)
    index.write((), checkpoint=replace(CHECKPOINT, stories={0: 9}))
    assert index.checkpoint() == replace(CHECKPOINT, stories={0: 9})
    assert index.count(parse("NOT truce")) == 0


def test_partitions_that_a_checkpoint_does_not_name_keep_theirs(index: Index) -> None:
    index.write(stories(1), checkpoint=Checkpoint(log="log", stories={0: 4, 2: 7}, links=3))
    index.write(stories(2), checkpoint=Checkpoint(log="log", stories={2: 8}, links=3))
    assert index.checkpoint() == Checkpoint(log="log", stories={0: 4, 2: 8}, links=3)


def test_a_write_without_a_checkpoint_keeps_the_last_one(index: Index) -> None:
    index.write(stories(1), checkpoint=CHECKPOINT)
    index.write(stories(2))
    assert index.checkpoint() == CHECKPOINT


def test_writing_the_same_again_changes_nothing(index: Index) -> None:
    for _ in range(3):
        assert index.write(stories(5)).written == 5
    assert index.count(parse("truce")) == 5


def test_a_newer_version_replaces_and_an_older_one_is_skipped(index: Index) -> None:
    index.write([story("a1", "second", order=5)])
    index.write([story("a1", "first", order=4)])
    assert ids(index, "second") == ["a1"]
    assert ids(index, "first") == []
    index.write([story("a1", "third", order=6)])
    assert ids(index, "third") == ["a1"]
    assert ids(index, "second") == []


def test_of_two_versions_in_one_write_the_newer_one_stays(index: Index) -> None:
    index.write([story("a1", "newer", order=2), story("a1", "older", order=1)])
    assert ids(index, "newer") == ["a1"]
    assert ids(index, "older") == []


def test_one_document_that_cannot_be_written_is_refused_alone(index: Index) -> None:
    records = [*stories(3), story("", "no id", order=9), story("broken\ud800", "x", order=10)]
    result = index.write(records, checkpoint=CHECKPOINT)
    assert set(result.rejected) == {"", "broken\ud800"}
    assert result.written == 3
    assert index.count(parse("truce")) == 3


def test_the_checkpoint_waits_until_refused_documents_are_set_aside(index: Index) -> None:
    index.write([story("", "no id")], checkpoint=CHECKPOINT)
    assert index.checkpoint() is None
    index.write((), checkpoint=CHECKPOINT)
    assert index.checkpoint() == CHECKPOINT


def test_the_articles_of_a_merged_story_move_at_their_own_version(index: Index) -> None:
    index.write([story(f"a{n}", "truce", order=n, story_id="young") for n in range(3)])
    index.write([story("b", "truce", order=9, story_id="old")])
    index.write([story("a2", "truce again", order=10, story_id="old")], links={"young": "old"})
    assert [one.article.id for one in index.story("old")] == ["a0", "a1", "a2", "b"]
    assert index.story("young") == []
    index.write([story("a1", "not newer", order=1, story_id="young")])
    moved = index.get("a1")
    assert moved is not None
    assert (moved.story_id, moved.order) == ("old", 1)
    assert ids(index, "again") == ["a2"]


def test_a_story_is_shown_oldest_first_and_at_most_200(index: Index) -> None:
    index.write([replace(one, story_id="s") for one in reversed(stories(210))])
    found = [one.article.id for one in index.story("s")]
    assert found == [f"article-{number:05}" for number in range(200)]


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize("query", ["truce", "truce SAMESENT talks"])
def test_pages_follow_in_the_order_of_seen_then_id(index: Index, query: str, sort: Sort) -> None:
    chosen = [
        story(f"a{n % 7}{n:03}", "truce talks", order=n, seen=SEEN + timedelta(milliseconds=n // 9))
        for n in range(100)
    ]
    index.write(chosen)
    expected = sorted(
        ((one.article.seen, one.article.id) for one in chosen), reverse=sort == "newest"
    )
    found = pages(index, SearchRequest(query=parse(query), size=8, sort=sort))
    assert [name for page in found for name in page] == [name for _, name in expected]
    assert [len(page) for page in found] == [8] * 12 + [4]


def test_pages_by_relevance_show_each_article_once(index: Index) -> None:
    index.write(stories(50))
    found = pages(index, SearchRequest(query=parse("truce"), size=20, sort="relevance"))
    assert [len(page) for page in found] == [20, 20, 10]
    assert len({name for page in found for name in page}) == 50


def test_relevance_puts_the_article_about_it_first(index: Index) -> None:
    padding = "other words of a long text that is about something else " * 5
    index.write([story("a", f"{padding} truce", order=1), story("b", "truce truce", order=2)])
    index.write([story("c", padding, order=3)])
    request = SearchRequest(query=parse("truce"), sort="relevance")
    hits = index.search(request).hits
    assert [hit.article.id for hit in hits] == ["b", "a"]
    assert (hits[0].score or 0) > (hits[1].score or 0) > 0


@pytest.mark.parametrize("query", ["truce", "truce SAMESENT talks"])
@pytest.mark.parametrize("sort", ["newest", "oldest", "relevance"])
def test_a_grouped_search_shows_each_story_once_over_all_pages(
    index: Index, query: str, sort: Sort
) -> None:
    index.write([replace(one, story_id=f"s{n % 12}") for n, one in enumerate(stories(60))])
    request = SearchRequest(query=parse(query), size=5, sort=sort, group=True)
    shown = [name for page in pages(index, request) for name in page]
    assert len(shown) == 12
    if sort == "newest":
        assert shown == [f"article-{number:05}" for number in range(59, 47, -1)]
    if sort == "oldest":
        assert shown == [f"article-{number:05}" for number in range(12)]
    first = index.search(request)
    assert first.total == 60
    assert {hit.copies for hit in first.hits} == {4}


def test_since_is_included_and_until_is_not(index: Index) -> None:
    index.write(stories(10))
    request = SearchRequest(
        query=parse("truce"),
        since=SEEN + timedelta(minutes=3),
        until=SEEN + timedelta(minutes=6),
        sort="oldest",
    )
    found = [hit.article.id for hit in index.search(request).hits]
    assert found == ["article-00003", "article-00004", "article-00005"]
    moved = replace(request, since=SEEN + timedelta(minutes=3, microseconds=1))
    assert index.search(moved).total == 2


@pytest.mark.parametrize("query", ["truce", "truce NOT WITHIN peace"])
def test_facets_count_what_is_found(index: Index, query: str) -> None:
    index.write(
        [
            story("a", "truce", order=1, topics=("war", "arms@review"), source="news.a.example"),
            story("b", "truce", order=2, topics=("war",), language="ar"),
            story("c", "other", order=3, topics=("war",)),
            story("d", "truce", order=4, language=""),
        ]
    )
    request = SearchRequest(query=parse(query), facets=("topic", "source", "lang"))
    assert index.search(request).facets == {
        "topic": [{"value": "war", "count": 2}],
        "source": [
            {"value": "example.org", "count": 2},
            {"value": "news.a.example", "count": 1},
        ],
        "lang": [{"value": "ar", "count": 1}, {"value": "en", "count": 1}],
    }


def test_the_histogram_counts_by_the_time_of_being_seen(index: Index) -> None:
    index.write(stories(130))
    hours = index.search(SearchRequest(query=parse("truce"), interval="1h")).histogram
    assert hours == [
        {"at": "2026-11-01T12:00:00.000Z", "count": 60},
        {"at": "2026-11-01T13:00:00.000Z", "count": 60},
        {"at": "2026-11-01T14:00:00.000Z", "count": 10},
    ]
    weeks = index.search(SearchRequest(query=parse("truce"), interval="1w")).histogram
    assert weeks == [{"at": "2026-10-26T00:00:00.000Z", "count": 130}]


def test_a_hit_shows_the_article_without_its_text_and_where_it_was_found(index: Index) -> None:
    text = "Nothing here. The truce “holds”."
    index.write([story("a", text, title="Truce", topics=("war", "arms@review"))])
    hit = index.search(SearchRequest(query=parse("truce"))).hits[0]
    assert hit.article.text == ""
    assert hit.topics == ("war",)
    assert (hit.story_id, hit.copies, hit.score) == ("a", 0, None)
    title, fragment = hit.highlights.title[0], hit.highlights.text[0]
    assert [title.text[start:end] for start, end in title.spans] == ["Truce"]
    assert [fragment.text[start:end] for start, end in fragment.spans] == ["truce"]


def test_highlights_can_be_left_out(index: Index) -> None:
    index.write(stories(1))
    hit = index.search(SearchRequest(query=parse("truce"), highlights=False)).hits[0]
    assert hit.highlights.text == ()


@pytest.mark.parametrize(
    "change",
    [
        *({"after": "?"}, {"after": "bng"}, {"after": "eDE6YQ"}, {"facets": ("color",)}),
        *({"interval": "1y"}, {"interval": "0h"}, {"size": 0}, {"size": 201}),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_hint(
    index: Index, change: dict[str, object]
) -> None:
    index.write(stories(3))
    request = replace(SearchRequest(query=parse("truce")), **change)  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        index.search(request)
    assert caught.value.hint


def test_a_cursor_of_another_order_is_refused(index: Index) -> None:
    index.write(stories(30))
    after = index.search(SearchRequest(query=parse("truce"))).after
    with pytest.raises(UsageError):
        index.search(SearchRequest(query=parse("truce"), after=after, sort="oldest"))


def test_too_wide_wildcards_are_refused_where_they_stand(index: Index) -> None:
    text = " ".join(f"*{letter}{other}" for letter in "abcd" for other in "efghi")
    with pytest.raises(QueryError) as caught:
        index.search(SearchRequest(query=parse(text)))
    assert caught.value.caret


def test_hits_a_day_counts_over_the_days_there_are(index: Index) -> None:
    index.write(
        [story(f"a{n}", "truce", order=n, seen=SEEN + timedelta(days=n)) for n in range(11)]
    )
    assert index.hits_a_day(parse("truce")) == pytest.approx(1.1)
    assert index.hits_a_day(parse("peace")) == 0
    index.write([story("b", "peace", order=99, seen=SEEN + timedelta(days=60))])
    assert index.hits_a_day(parse("peace")) == pytest.approx(1 / 30)


def test_volume_counts_articles_and_first_finds_of_stories_by_day(index: Index) -> None:
    day = timedelta(days=1)
    index.write(
        [
            story("a", "truce holds", order=1, seen=SEEN, story_id="one"),
            story("b", "truce holds", order=2, seen=SEEN + day, story_id="one"),
            story("c", "truce holds", order=3, seen=SEEN + day, story_id="two"),
            story("d", "truce holds", order=4, seen=SEEN + 9 * day, story_id="three"),
            story("e", "peace", order=5, seen=SEEN, story_id="four"),
        ]
    )
    for query in ("truce", "truce SAMESENT holds"):
        found = index.volume(parse(query), since=SEEN, until=SEEN + 5 * day)
        assert found.articles == {SEEN.date(): 1, (SEEN + day).date(): 2}
        assert found.stories == {SEEN.date(): 1, (SEEN + day).date(): 1}
        assert found.relation == "eq"
    assert index.volume(parse("nothing"), since=SEEN, until=SEEN + day).articles == {}


def test_counting_gives_what_a_search_gives(index: Index) -> None:
    index.write(stories(40))
    queries: Sequence[str] = ("truce", "number1*", "truce SAMESENT number7", "NOT truce")
    assert [index.count(parse(query)) for query in queries] == [40, 11, 1, 0]


def test_a_successor_takes_over_at_once(make_index: MakeIndex) -> None:
    index = make_index()
    index.write(stories(3), checkpoint=CHECKPOINT)
    building = index.successor()
    building.write(stories(5), checkpoint=replace(CHECKPOINT, stories={0: 5}))
    assert index.count(parse("truce")) == 3
    with pytest.raises(UnavailableError):
        index.successor()
    building.take_over()
    assert index.count(parse("truce")) == 5
    again = make_index()
    assert again.count(parse("truce")) == 5
    assert again.checkpoint() == replace(CHECKPOINT, stories={0: 5})


def test_a_successor_that_is_discarded_leaves_no_trace(index: Index) -> None:
    index.write(stories(3))
    building = index.successor()
    building.write(stories(5))
    building.discard()
    assert index.count(parse("truce")) == 3
    index.successor().discard()


def test_health_tells_how_much_there_is(index: Index) -> None:
    index.write(stories(3))
    health = index.health()
    assert health["articles"] == "3"
    assert health["state"] == "ok"
