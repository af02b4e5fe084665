"""Writing to a real Elasticsearch: documents, months, checkpoints, merges, rebuilds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from elasticsearch import Elasticsearch

from ingest.errors import FencedError, ForeignStoreError, UnavailableError
from ingest.wire import format_time
from search.elastic_client import connect
from search.elastic_names import Names
from search.elastic_schema import record_of
from search.elastic_settings import ElasticSettings
from search.elastic_setup import setup
from search.elastic_writer import ABANDONED, Writer
from search.index import Checkpoint
from tests.elastic_room import raw
from tests.story_records import stories, story

__all__ = ["raw"]

NOVEMBER = datetime(2026, 11, 30, 23, 59, 59, 999_000, tzinfo=UTC)
DECEMBER = NOVEMBER + timedelta(milliseconds=1)
CHECKPOINT = Checkpoint(log="a-log", stories={0: 7, 1: 3}, links=2)


@pytest.fixture
def client(elastic: ElasticSettings) -> Iterator[Elasticsearch]:
    found = connect(elastic)
    yield found
    found.close()


@pytest.fixture
def writer(client: Elasticsearch, elastic: ElasticSettings) -> Writer:
    return Writer(client, elastic)


@pytest.fixture
def other(client: Elasticsearch, elastic: ElasticSettings) -> Writer:
    """Another worker on the same index."""
    return Writer(client, elastic)


def sources(raw: Elasticsearch, settings: ElasticSettings) -> dict[str, dict[str, object]]:
    """The documents that are searched, as Kibana shows them."""
    alias = Names(settings.prefix).articles
    raw.indices.refresh(index=alias)
    hits = raw.search(index=alias, size=1000)["hits"]["hits"]
    return {hit["_id"]: hit["_source"] | {"_index": hit["_index"]} for hit in hits}


def ids(raw: Elasticsearch, settings: ElasticSettings) -> set[str]:
    return set(sources(raw, settings))


def test_an_article_lies_in_the_month_it_was_seen(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer
) -> None:
    writer.write([story("a", seen=NOVEMBER), story("b", seen=DECEMBER)], None, {})
    found = sources(raw, elastic)
    assert found["a"]["_index"] == f"{elastic.prefix}-articles-2026.11"
    assert found["b"]["_index"] == f"{elastic.prefix}-articles-2026.12"


def test_people_see_the_fields_and_not_the_machinery(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer
) -> None:
    record = story(
        "a",
        "The truce holds.",
        title="Truce",
        topics=("war", "arms@review"),
        source="news.a.example",
        authors=("Jane DOE",),
        url="https://news.a.example/1",
        seen=NOVEMBER,
    )
    writer.write([record], None, {})
    index = f"{elastic.prefix}-articles-2026.11"
    assert raw.get(index=index, id="a")["_source"] == {
        "id": "a",
        "order": 0,
        "revision": 1,
        "cause": "live",
        "story_id": "a",
        "title": "Truce",
        "text": "The truce holds.",
        "url": "https://news.a.example/1",
        "source": "news.a.example",
        "site": ["news.a.example", "a.example", "example"],
        "feed_id": "feed-one",
        "feeds": ["feed-one"],
        "authors": ["Jane DOE"],
        "language": "en",
        "topics": ["war"],
        "keywords": ["truce", "holds"],
        "seen": "2026-11-30T23:59:59.999Z",
        "published": "2026-11-30T23:59:59.999Z",
    }
    stored = raw.get(index=index, id="a", stored_fields=["record"])["fields"]["record"][0]
    assert record_of(stored) == record


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("facts", "author=jane doe"),
        ("facts", "topic=arms@review"),
        ("facts", "source=example.org"),
        ("title_words", "jane"),
        ("body_cased", "Kyiv"),
        ("lead_words", "w" * 255),
        ("body_words", "later"),
    ],
)
def test_what_the_matcher_sees_is_found_word_by_word(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer, field: str, word: str
) -> None:
    text = f"In Kyiv {'w' * 400}. Two. Later."
    record = story("a", text, title="Jane", topics=("arms@review",), authors=("Jane DOE",))
    writer.write([record, story("b", "in kyiv", source="other.example", order=1)], None, {})
    alias = Names(elastic.prefix).articles
    raw.indices.refresh(index=alias)
    hits = raw.search(index=alias, query={"term": {field: word}})["hits"]["hits"]
    assert [hit["_id"] for hit in hits] == ["a"]
    assert raw.count(index=alias, query={"term": {"lead_words": "later"}})["count"] == 0


def test_documents_are_refused_alone_with_the_reason(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer
) -> None:
    records = [
        *stories(2),
        story("", order=10),
        story("x" * 513, order=11),
        story("nul\0", order=12),
        story("surrogate", "\ud800", order=13),
        story("negative", order=-1),
        story("huge", order=1 << 63),
        story("long", source="s" * 40_000, order=14),
        replace(story("unseen", order=15), article=replace(story("unseen").article, seen=None)),
    ]
    result = writer.write(records, CHECKPOINT, {})
    assert result.rejected.keys() == {one.article.id for one in records[2:]}
    assert "[source]" in result.rejected["long"]
    assert all(len(reason) <= 500 for reason in result.rejected.values())
    assert result.written == 2
    assert ids(raw, elastic) == {"article-00000", "article-00001"}
    assert writer.checkpoint() is None
    writer.write((), CHECKPOINT, {})
    assert writer.checkpoint() == CHECKPOINT


def test_mappings_are_strict_and_templates_can_be_put_again(
    raw: Elasticsearch, elastic: ElasticSettings, client: Elasticsearch
) -> None:
    for _ in range(2):
        setup(client, elastic)
    templates = raw.indices.get_index_template(name=f"{elastic.prefix}-*")["index_templates"]
    assert {one["name"] for one in templates} == {
        f"{elastic.prefix}-articles",
        f"{elastic.prefix}-checkpoints",
    }
    assert {one["index_template"]["allow_auto_create"] for one in templates} == {False}
    for one in templates:
        assert one["index_template"]["template"]["mappings"]["dynamic"] == "strict"


def test_a_newer_template_is_left_as_it_is(
    raw: Elasticsearch, elastic: ElasticSettings, client: Elasticsearch
) -> None:
    setup(client, elastic)
    name = f"{elastic.prefix}-articles"
    raw.indices.put_index_template(name=name, index_patterns=[f"{name}-*"], version=99)
    setup(client, elastic)
    found = raw.indices.get_index_template(name=name)["index_templates"][0]
    assert found["index_template"]["version"] == 99


def test_workers_store_the_partitions_they_read_and_no_others(
    writer: Writer, other: Writer
) -> None:
    writer.write((), Checkpoint(log="a-log", stories={0: 7}, links=5), {})
    other.write((), Checkpoint(log="a-log", stories={1: 9, 3: 0}, links=2), {})
    assert writer.checkpoint() == Checkpoint(log="a-log", stories={0: 7, 1: 9, 3: 0}, links=2)


def test_a_worker_that_lost_its_partition_cannot_take_the_checkpoint_back(
    writer: Writer, other: Writer
) -> None:
    late = Checkpoint(log="a-log", stories={0: 5})
    other.write((), replace(late, stories={0: 8}), {})
    with pytest.raises(FencedError):
        writer.write((), late, {})
    assert writer.checkpoint() == replace(late, stories={0: 8})
    writer.write((), replace(late, stories={0: 8}), {})


def test_all_documents_of_an_absorbed_story_move_whatever_month_they_are_in(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer
) -> None:
    chosen = [
        replace(one, article=replace(one.article, seen=NOVEMBER + timedelta(seconds=n % 2)))
        for n, one in enumerate(stories(230))
    ]
    writer.write([replace(one, story_id=f"young-{one.order % 2}") for one in chosen], None, {})
    writer.write((), None, {"young-0": "old", "young-1": "older"})
    found = sources(raw, elastic)
    assert {one["_index"] for one in found.values()} == {
        f"{elastic.prefix}-articles-2026.11",
        f"{elastic.prefix}-articles-2026.12",
    }
    stories_of = {number: found[f"article-{number:05}"]["story_id"] for number in range(230)}
    assert stories_of == {number: "older" if number % 2 else "old" for number in range(230)}
    writer.write([replace(chosen[0], story_id="young-0")], None, {})  # delivered again
    assert sources(raw, elastic)["article-00000"]["story_id"] == "old"


def test_a_rebuild_is_seen_by_nobody_until_it_takes_over(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer
) -> None:
    writer.write(stories(3), CHECKPOINT, {})
    building = writer.successor()
    building.write(stories(5), checkpoint=replace(CHECKPOINT, stories={0: 2}, rebuilt=True))
    building.write([story("article-00004", "truce", order=9)], links={"article-00001": "x"})
    assert len(ids(raw, elastic)) == 3
    assert writer.checkpoint() == CHECKPOINT
    building.take_over()
    building.discard()  # a caller may, whatever happened: it is in force now
    found = sources(raw, elastic)
    assert len(found) == 5
    assert found["article-00001"]["story_id"] == "x"
    assert {one["_index"] for one in found.values()} == {f"{elastic.prefix}-articles-2026.11-g2"}
    assert writer.checkpoint() == replace(CHECKPOINT, stories={0: 2}, rebuilt=True)
    assert [*raw.indices.get(index=f"{elastic.prefix}-articles-*")] == [
        f"{elastic.prefix}-articles-2026.11-g2"
    ]
    assert writer.write(stories(6), None, {}).written == 6


def test_workers_elsewhere_notice_a_rebuild_at_their_next_write_and_begin_after_it(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer, other: Writer
) -> None:
    other.write(stories(3), CHECKPOINT, {})
    building = writer.successor()
    rebuilt = Checkpoint(log="a-log", stories={0: 5, 1: 1}, links=2, rebuilt=True)
    building.write(stories(5), checkpoint=rebuilt)
    building.take_over()
    assert other.checkpoint() == rebuilt  # asking how far it is does not make it begin anew
    for late in ((), stories(9)):
        with pytest.raises(FencedError):
            other.write(late, replace(CHECKPOINT, stories={0: 99}), {})
        assert other.checkpoint() == rebuilt
        other._mine = writer._generation(1, is_in_force=True)  # as if it had slept through it
    with pytest.raises(FencedError):
        other.write((), None, {})
    assert other.write(stories(7), replace(rebuilt, stories={0: 7}), {}).written == 7
    assert len(ids(raw, elastic)) == 7


def test_only_one_rebuild_runs_and_one_that_died_is_replaced(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer, other: Writer
) -> None:
    writer.write(stories(2), CHECKPOINT, {})
    dead = writer.successor()
    dead.write(stories(1))
    with pytest.raises(UnavailableError) as caught:
        other.successor()
    assert caught.value.sentence == "The index is being rebuilt already."
    long_ago = format_time(datetime.now(UTC) - ABANDONED)
    names = Names(elastic.prefix)
    raw.update(index=names.checkpoints, id="generation-2", doc={"touched": long_ago})
    alive = other.successor()
    with pytest.raises((FencedError, ForeignStoreError)):
        dead.write(stories(3))
    with pytest.raises(FencedError):
        dead.write(())
    alive.write(stories(4), checkpoint=CHECKPOINT)
    alive.take_over()
    with pytest.raises(FencedError):
        dead.take_over()
    dead.discard()
    assert len(ids(raw, elastic)) == 4
    assert all(name.endswith("-g3") for name in raw.indices.get(index=names.months))


def test_what_a_crash_between_two_steps_of_a_take_over_left_is_mended_at_the_next_start(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer, other: Writer
) -> None:
    writer.write(stories(2), CHECKPOINT, {})
    building = writer.successor()
    building.write(stories(4), checkpoint=CHECKPOINT)
    raw.index(
        index=Names(elastic.prefix).checkpoints,
        id="in-force",
        document={"kind": "in-force", "generation": 2},
    )
    assert len(ids(raw, elastic)) == 2
    assert other.checkpoint() == CHECKPOINT
    other.write((), None, {})
    assert len(ids(raw, elastic)) == 4
    assert all(
        name.endswith("-g2") for name in raw.indices.get(index=f"{elastic.prefix}-articles-*")
    )


def test_indices_of_others_that_are_named_alike_are_left_alone(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer
) -> None:
    names = Names(elastic.prefix)
    others = {f"{names.articles}-backup", f"{names.articles}-2026.11-copy"}
    for name in others:
        raw.indices.create(index=name)
        raw.index(index=name, id="x", document={"story_id": "article-00001"}, refresh=True)
    writer.write(stories(2), CHECKPOINT, {"article-00001": "older"})
    building = writer.successor()
    building.write(stories(3), checkpoint=CHECKPOINT)
    building.take_over()
    writer.write((), CHECKPOINT, {"article-00001": "older"})
    assert others < {*raw.indices.get(index=names.months)}
    assert not others & {*raw.indices.get_alias(name=names.articles)}
    assert len(ids(raw, elastic)) == 3


def test_two_workers_may_begin_at_the_same_time(
    writer: Writer, other: Writer, raw: Elasticsearch, elastic: ElasticSettings
) -> None:
    writer._begin_first()
    other._begin_first()
    writer.write(stories(1), None, {})
    other.write(stories(2), None, {})
    assert len(ids(raw, elastic)) == 2


def test_who_only_asks_how_far_the_index_is_makes_and_mends_nothing(
    raw: Elasticsearch, elastic: ElasticSettings, writer: Writer, other: Writer
) -> None:
    assert other.checkpoint() is None
    assert not raw.indices.get(index=f"{elastic.prefix}-*").body
    assert not raw.indices.exists_index_template(name=f"{elastic.prefix}-articles")
    writer.write(stories(1), CHECKPOINT, {})
    raw.indices.delete_index_template(name=f"{elastic.prefix}-articles")
    assert other.checkpoint() == CHECKPOINT
    assert not raw.indices.exists_index_template(name=f"{elastic.prefix}-articles")
