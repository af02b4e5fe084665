"""The indices of the lists on Elasticsearch: alerts and feeds."""

from __future__ import annotations

import hashlib
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch

from search.elastic_errors import said, translated
from search.elastic_settings import ElasticSettings
from search.elastic_setup import Template, put_template
from search.projected_documents import MAPPINGS, Fields

_EXISTS = "resource_already_exists_exception"

VERSION = 1
"""Raise it with any change of the fields: a list of another version is made anew."""


def put_templates(client: Elasticsearch, settings: ElasticSettings) -> None:
    """Put the templates of both lists there, so that one that is gone is not made by a write.

    Raises:
        UnavailableError: Elasticsearch cannot do that now.
        StoreError: it refuses.
    """
    for name, fields in MAPPINGS.items():
        mapping = {"dynamic": "strict", "properties": fields}
        index = _index(settings, name)
        template = Template(name=name, indices=index, version=VERSION, mappings=mapping)
        put_template(client, settings, template)


def prepare(client: Elasticsearch, settings: ElasticSettings, *, log: str) -> str:
    """Make what is missing of both lists of the log of this identity; the group that fills them.

    Idempotent. The list of another log or version is made anew: nothing in it is worth keeping.
    The group's name follows from the indices: new ones have a new group, which reads the log from
    its beginning.

    Raises:
        UnavailableError: Elasticsearch cannot do that now.
        StoreError: it refuses.
    """
    made = [
        _prepared(client, settings, index=_index(settings, name), mapping=_mapping(fields, log))
        for name, fields in MAPPINGS.items()
    ]
    return f"project-{hashlib.sha256(' '.join(made).encode()).hexdigest()[:12]}"


def _index(settings: ElasticSettings, name: str) -> str:
    return f"{settings.prefix}-{name}"


def _mapping(fields: Fields, log: str) -> dict[str, Any]:
    return {
        "dynamic": "strict",
        "_meta": {"log": log, "version": VERSION},
        "properties": fields,
    }


def _prepared(
    client: Elasticsearch, settings: ElasticSettings, *, index: str, mapping: dict[str, Any]
) -> str:
    """The unique name that Elasticsearch itself gave the index when it was made."""
    changes = client.options(request_timeout=settings.write_seconds)
    with translated(settings.url, f"preparing the list {index}"):
        known = client.options(ignore_status=404).indices.get_mapping(index=index)
        is_there = index in known
        if is_there and known[index]["mappings"].get("_meta") != mapping["_meta"]:
            changes.options(ignore_status=404).indices.delete(index=index)
            is_there = False
        if not is_there:
            _make(changes, index, mapping)
        found = client.indices.get_settings(index=index)
    return str(found[index]["settings"]["index"]["uuid"])


def _make(client: Elasticsearch, index: str, mapping: dict[str, Any]) -> None:
    try:
        client.indices.create(index=index, mappings=mapping)
    except BadRequestError as error:
        if said(error)[0] != _EXISTS:
            raise  # else another member was quicker
