"""Looking into the indices of the fixture ``elastic``, and removing them. Needs the extra."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import pytest
from elasticsearch import Elasticsearch

from processors.records import StoryRecord
from search.elastic_index import ElasticIndex
from search.elastic_settings import ElasticSettings
from search.index import Checkpoint, WriteResult


@pytest.fixture
def raw(elastic: ElasticSettings) -> Iterator[Elasticsearch]:
    """A plain client, to look and to meddle behind the index's back."""
    with Elasticsearch(elastic.url) as client:
        yield client


class SeenAtOnce(ElasticIndex):
    """What was written is searched at once, and not within a second."""

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        result = super().write(stories, checkpoint=checkpoint, links=links, removed=removed)
        self.refresh()
        return result


def remove_all(settings: ElasticSettings) -> None:
    """Delete whatever begins with the prefix of ``settings``."""
    with Elasticsearch(settings.url) as client:
        _remove(client, settings.prefix)


def _remove(client: Elasticsearch, prefix: str) -> None:
    for name in client.indices.get(index=f"{prefix}-*", filter_path="*.aliases"):
        client.indices.delete(index=name)
    for find, delete in _templates(client):
        for name in find():
            if name.startswith(f"{prefix}-"):
                delete(name)


def _templates(
    client: Elasticsearch,
) -> list[tuple[Callable[[], list[str]], Callable[[str], object]]]:
    """Both kinds, those that are composed of the others first."""

    def composed() -> list[str]:
        return [one["name"] for one in client.indices.get_index_template()["index_templates"]]

    def components() -> list[str]:
        found = client.cluster.get_component_template()["component_templates"]
        return [one["name"] for one in found]

    return [
        (composed, lambda name: client.indices.delete_index_template(name=name)),
        (components, lambda name: client.cluster.delete_component_template(name=name)),
    ]
