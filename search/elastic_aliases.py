"""The alias under which the articles in force are searched."""

from __future__ import annotations

from elasticsearch import Elasticsearch

from search.elastic_client import patient
from search.elastic_errors import translated
from search.elastic_names import Names
from search.elastic_settings import ElasticSettings


def months(client: Elasticsearch, settings: ElasticSettings) -> frozenset[str]:
    """The indices of articles of all generations; what others named alike is not ours."""
    names = Names(settings.prefix)
    with translated(settings.url, "listing the indices"):
        found = client.indices.get(index=names.months, filter_path="*.aliases")
    return frozenset(filter(names.number_of, found))


def aliased(client: Elasticsearch, settings: ElasticSettings) -> frozenset[str]:
    """The indices that the alias reads."""
    name = Names(settings.prefix).articles
    with translated(settings.url, f"reading the alias {name}"):
        found = client.options(ignore_status=404).indices.get_alias(name=name)
    return frozenset(found) if found.meta.status < 300 else frozenset()  # noqa: PLR2004  HTTP


def is_right(client: Elasticsearch, settings: ElasticSettings, generation: int) -> bool:
    """Whether the alias reads ``generation`` and nothing else."""
    return aliased(client, settings) == _wanted(client, settings, generation)


def mend(client: Elasticsearch, settings: ElasticSettings, generation: int) -> None:
    """Let the alias read ``generation`` and nothing else, from one moment to the next."""
    name = Names(settings.prefix).articles
    wanted, found = _wanted(client, settings, generation), aliased(client, settings)
    actions = [
        *({"add": {"index": index, "alias": name}} for index in sorted(wanted - found)),
        *({"remove": {"index": index, "alias": name}} for index in sorted(found - wanted)),
    ]
    if actions:
        with translated(settings.url, f"setting the alias {name}"):
            patient(client, settings).indices.update_aliases(actions=actions)


def _wanted(client: Elasticsearch, settings: ElasticSettings, generation: int) -> frozenset[str]:
    number_of = Names(settings.prefix).number_of
    return frozenset(one for one in months(client, settings) if number_of(one) == generation)
