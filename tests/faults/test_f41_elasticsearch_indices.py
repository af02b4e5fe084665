"""F41 on a real server: mapping, blocks, deleted indices and aliases that somebody changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from elasticsearch import Elasticsearch

from ingest.errors import ForeignStoreError, StoreError, UnavailableError
from processors.query import parse
from search.elastic_bulk import Bulk
from search.elastic_index import ElasticIndex
from search.elastic_operation import Operation
from search.elastic_settings import ElasticSettings
from search.index import Checkpoint
from tests.elastic_room import SeenAtOnce, raw
from tests.story_records import SEEN, stories

__all__ = ["raw"]

TRUCE = parse("truce")
CHECKPOINT = Checkpoint(log="a-log", stories={0: 3})


@pytest.fixture
def index(elastic: ElasticSettings) -> Iterator[ElasticIndex]:
    found = SeenAtOnce(elastic)
    found.write(stories(3), checkpoint=CHECKPOINT)
    yield found
    found.close()


@pytest.fixture
def month(elastic: ElasticSettings) -> str:
    """The index that the articles of ``index`` are in."""
    return f"{elastic.prefix}-articles-{SEEN:%Y.%m}"


@pytest.mark.usefixtures("index")
def test_f41_a_field_that_is_not_in_the_mapping_is_refused_and_does_not_grow_it(
    elastic: ElasticSettings, raw: Elasticsearch, month: str
) -> None:
    before = raw.indices.get_mapping(index=month).body
    odd = {"id": "odd", "colour": {"deep": 1}}
    fine = {"id": "fine", "topics": ["war"]}
    refused = Bulk(raw, elastic).write(
        [
            Operation(index=month, id="odd", version=1, body=odd),
            Operation(index=month, id="date", version=1, body={"seen": "yesterday"}),
            Operation(index=month, id="fine", version=1, body=fine),
        ]
    )
    assert refused.keys() == {"odd", "date"}
    assert "[colour]" in refused["odd"]
    assert "[seen]" in refused["date"]
    assert raw.indices.get_mapping(index=month).body == before
    assert raw.exists(index=month, id="fine")


def test_f41_a_block_by_the_flood_stage_is_a_pause_that_ends_by_itself(
    index: ElasticIndex, raw: Elasticsearch, month: str
) -> None:
    block = {"index.blocks.read_only_allow_delete": True}  # what the server sets at 95 %
    raw.indices.put_settings(index=month, settings=block)
    later = Checkpoint(log="a-log", stories={0: 5})
    with pytest.raises(UnavailableError) as caught:
        index.write(stories(5), checkpoint=later)
    assert "disk is above 95 %" in caught.value.sentence
    assert index.checkpoint() == CHECKPOINT
    assert index.count(TRUCE) == 3
    raw.indices.put_settings(index=month, settings={"index.blocks.read_only_allow_delete": None})
    index._writer._mine = None  # a worker that starts now need not wait as long as this one
    assert index.write(stories(5), checkpoint=later).written == 5
    assert index.count(TRUCE) == 5


def test_f41_a_deleted_index_stops_the_stage_and_is_not_made_anew(
    index: ElasticIndex, elastic: ElasticSettings, raw: Elasticsearch, month: str
) -> None:
    raw.indices.delete(index=month)
    for _ in range(2):
        with pytest.raises(ForeignStoreError) as caught:
            index.write(stories(4), checkpoint=CHECKPOINT)
        assert caught.value.sentence.startswith(f"The index {month} is gone.")
    assert not raw.indices.exists(index=month)
    with pytest.raises(ForeignStoreError) as caught:
        ElasticIndex(elastic).checkpoint()
    assert "rebuild or restore" in caught.value.sentence
    building = index.successor()
    building.write(stories(4), checkpoint=CHECKPOINT)
    building.take_over()
    assert index.count(TRUCE) == 4
    assert index.checkpoint() == CHECKPOINT


def test_f41_an_index_made_by_somebody_else_is_not_filled(
    index: ElasticIndex, elastic: ElasticSettings, raw: Elasticsearch, month: str
) -> None:
    raw.indices.delete(index=month)
    raw.indices.create(index=month)
    for one in (index, ElasticIndex(elastic)):
        with pytest.raises(ForeignStoreError) as caught:
            one.checkpoint()
        assert f"The index {month} is another one than was filled." in caught.value.sentence
    with pytest.raises(ForeignStoreError):
        ElasticIndex(elastic).write(stories(4))
    assert raw.count(index=month)["count"] == 0


def test_f41_a_wrong_alias_is_told_and_mended_at_the_next_start(
    index: ElasticIndex, elastic: ElasticSettings, raw: Elasticsearch, month: str
) -> None:
    alias, other = f"{elastic.prefix}-articles", f"{elastic.prefix}-other"
    raw.indices.create(index=other)
    for actions in (
        [{"remove": {"index": month, "alias": alias}}, {"add": {"index": other, "alias": alias}}],
        [{"add": {"index": other, "alias": alias}}],
        [{"remove": {"index": f"{alias}-*", "alias": alias}}],
    ):
        raw.indices.update_aliases(actions=actions)
        assert "alias" in index.health()["state"]
        again = ElasticIndex(elastic)
        assert again.checkpoint() == CHECKPOINT
        again.write(())  # as a stage does when it starts, with or without records
        assert again.health()["state"] == "ok"
        assert again.count(TRUCE) == 3
        again.close()


def test_f41_an_index_in_the_place_of_the_alias_is_named(
    elastic: ElasticSettings, raw: Elasticsearch
) -> None:
    name = f"{elastic.prefix}-articles"
    raw.index(index=name, document={"made": "by somebody"})
    index = ElasticIndex(elastic)
    with pytest.raises(StoreError) as caught:
        index.write(())
    assert name in caught.value.sentence
    assert "same name as the alias" in caught.value.sentence
    index.close()
