"""F59 on Elasticsearch: it came back empty, older, or as another one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from elasticsearch import Elasticsearch

from deploy.servers.elasticsearch import ElasticsearchServer
from ingest.errors import ForeignStoreError
from processors.query import parse
from search.elastic_settings import ElasticSettings
from tests.elastic_room import SeenAtOnce, raw
from tests.search.test_indexer import Room
from tests.story_records import SEEN, stories

__all__ = ["raw"]

TRUCE = parse("truce")


def settled(folder: Path, settings: ElasticSettings, count: int) -> None:
    room = Room(folder, SeenAtOnce(settings))
    room.tell(*stories(count))
    room.settle()
    room.close()


def refused(folder: Path, settings: ElasticSettings) -> str:
    """What the stage says when it stops."""
    room = Room(folder, SeenAtOnce(settings))
    with pytest.raises(ForeignStoreError) as caught:
        room.indexer.step(timeout_seconds=0)
    room.close()
    assert "rebuild or restore" in caught.value.sentence
    assert "wirewatch reindex" in caught.value.hint
    return caught.value.sentence


def rebuilt(folder: Path, settings: ElasticSettings) -> None:
    room = Room(folder, SeenAtOnce(settings))
    told = room.log.bounds(room.stories)[1]
    assert list(room.indexer.rebuild())[-1] == (told, told)
    assert room.index.count(TRUCE) == len(list(room.log.table("stories").items()))
    room.tell(*stories(20))
    room.settle()
    assert room.index.count(TRUCE) == 20
    room.close()


def month_deleted(client: Elasticsearch, prefix: str) -> None:
    client.indices.delete(index=f"{prefix}-articles-{SEEN:%Y.%m}")


def checkpoints_deleted(client: Elasticsearch, prefix: str) -> None:
    client.indices.delete(index=f"{prefix}-checkpoints")


def all_deleted(client: Elasticsearch, prefix: str) -> None:
    for name in client.indices.get(index=f"{prefix}-*"):
        client.indices.delete(index=name)


def other_cluster(client: Elasticsearch, prefix: str) -> None:
    client.update(index=f"{prefix}-checkpoints", id="generation-1", doc={"cluster": "another"})


def older_checkpoint(client: Elasticsearch, prefix: str) -> None:
    client.update(index=f"{prefix}-checkpoints", id="checkpoint-1-0", doc={"stories": 2})


def other_log(client: Elasticsearch, prefix: str) -> None:
    client.update(index=f"{prefix}-checkpoints", id="checkpoint-1-0", doc={"log": "another"})


def other_fields(client: Elasticsearch, prefix: str) -> None:
    client.update(index=f"{prefix}-checkpoints", id="generation-1", doc={"fields": 0})


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (month_deleted, "is gone"),
        (checkpoints_deleted, "but not how far the log was read"),
        (all_deleted, "The index is empty, although 4 records were indexed"),
        (other_cluster, "another Elasticsearch cluster"),
        (older_checkpoint, "it holds 2 of 4 records"),
        (other_log, "another log"),
        (other_fields, "fields of version 0"),
    ],
)
def test_f59_the_stage_stops_and_a_rebuild_mends_it(
    tmp_path: Path,
    elastic: ElasticSettings,
    raw: Elasticsearch,
    happens: Callable[[Elasticsearch, str], None],
    words: str,
) -> None:
    settled(tmp_path, elastic, 4)
    happens(raw, elastic.prefix)
    for _ in range(2):  # a restart does not take it for a new one
        assert words in refused(tmp_path, elastic)
    rebuilt(tmp_path, elastic)


def test_f59_indices_that_vanish_beneath_a_running_stage_stop_it(
    tmp_path: Path, elastic: ElasticSettings, raw: Elasticsearch
) -> None:
    room = Room(tmp_path, SeenAtOnce(elastic))
    room.tell(*stories(4))
    room.settle()
    all_deleted(raw, elastic.prefix)
    room.tell(*stories(6))
    for _ in range(2):
        with pytest.raises(ForeignStoreError):
            room.indexer.step(timeout_seconds=0)
    assert not raw.indices.get(index=f"{elastic.prefix}-*")
    room.close()


@pytest.mark.timeout(300)  # it starts four times
def test_f59_a_server_restored_from_an_older_copy_or_emptied_is_noticed(
    tmp_path: Path, mortal_elasticsearch: ElasticsearchServer
) -> None:
    mortal = mortal_elasticsearch
    settings = ElasticSettings(url=mortal.url)
    folder = tmp_path / "wirewatch"
    folder.mkdir()
    settled(folder, settings, 2)
    mortal.stop()
    shutil.copytree(mortal.folder / "data", tmp_path / "older")
    mortal.start()
    settings = ElasticSettings(url=mortal.url)
    settled(folder, settings, 4)
    mortal.stop()
    shutil.rmtree(mortal.folder / "data")
    (tmp_path / "older").rename(mortal.folder / "data")
    mortal.start()
    settings = ElasticSettings(url=mortal.url)
    assert "it holds 2 of 6 records" in refused(folder, settings)
    mortal.stop()
    shutil.rmtree(mortal.folder / "data")
    mortal.start()
    settings = ElasticSettings(url=mortal.url)
    assert "The index is empty, although 6 records were indexed" in refused(folder, settings)
    rebuilt(folder, settings)
