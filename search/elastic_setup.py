"""The templates that our indices are made from: what ``wirewatch setup`` puts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from elasticsearch import BadRequestError, Elasticsearch

from search.elastic_client import patient
from search.elastic_errors import said, translated
from search.elastic_names import Names
from search.elastic_schema import ARTICLES, VERSION
from search.elastic_settings import ElasticSettings

_KEYWORD, _INTEGER, _LONG = {"type": "keyword"}, {"type": "integer"}, {"type": "long"}
_PRIORITY = 500  # above those of Elastic's own products (100 to 200)
_EXISTS = "resource_already_exists_exception"

CHECKPOINTS: Final[Mapping[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        **dict.fromkeys(("kind", "cluster", "log"), _KEYWORD),
        **dict.fromkeys(("generation", "fields", "partition"), _INTEGER),
        **dict.fromkeys(("stories", "links"), _LONG),
        "rebuilt": {"type": "boolean"},
        "touched": {"type": "date"},
        "indices": {"type": "object", "enabled": False},
    },
}
"""The mapping of ``wirewatch-checkpoints``: see ``elastic_checkpoints``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What indices are made from.

    Attributes:
        name: Of the template; the prefix of all our names is put before it.
        indices: The name or pattern of the indices.
        version: Of the mapping: one that stands already is replaced unless it is newer.
    """

    name: str
    indices: str
    version: int
    mappings: Mapping[str, Any]


def setup(client: Elasticsearch, settings: ElasticSettings) -> None:
    """Put the templates and the index of checkpoints there; what is there already stays.

    Raises:
        UnavailableError: later perhaps.
        StoreError: Elasticsearch does not let us.
    """
    names = Names(settings.prefix)
    put_template(
        client,
        settings,
        Template(name="articles", indices=names.months, version=VERSION, mappings=ARTICLES),
    )
    checkpoints = Template(
        name="checkpoints", indices=names.checkpoints, version=1, mappings=CHECKPOINTS
    )
    put_template(client, settings, checkpoints)
    make_index(client, settings, names.checkpoints)


def put_template(client: Elasticsearch, settings: ElasticSettings, template: Template) -> None:
    """Put ``template`` and the settings it is composed of there, unless a newer one stands."""
    client = patient(client, settings)
    name, shared = f"{settings.prefix}-{template.name}", f"{settings.prefix}-settings"
    with translated(settings.url, f"putting the template {name}"):
        found = client.options(ignore_status=404).indices.get_index_template(name=name)
        known = [
            one["index_template"].get("version", 0) for one in found.get("index_templates", ())
        ]
        if known and known[0] > template.version:
            return
        client.cluster.put_component_template(
            name=shared, template={"settings": _settings(settings)}
        )
        client.indices.put_index_template(
            name=name,
            index_patterns=[template.indices],
            composed_of=[shared],
            priority=_PRIORITY,
            version=template.version,
            allow_auto_create=False,  # a write to what was deleted must fail, not begin anew
            template={"mappings": template.mappings},
        )


def make_index(
    client: Elasticsearch, settings: ElasticSettings, name: str, *, alias: str = ""
) -> None:
    """Make the index ``name`` from its template, readable by ``alias``, if it is not there."""
    with translated(settings.url, f"making the index {name}"):
        try:
            patient(client, settings).indices.create(
                index=name, aliases={alias: {}} if alias else None
            )
        except BadRequestError as error:
            if said(error)[0] != _EXISTS:
                raise


def _settings(settings: ElasticSettings) -> Mapping[str, Any]:
    replicas = settings.replicas
    return {
        "number_of_shards": settings.shards,
        "auto_expand_replicas": replicas,
        "refresh_interval": f"{round(settings.refresh_seconds * 1000)}ms",
    }
