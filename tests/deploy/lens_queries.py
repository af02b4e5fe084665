"""What Elasticsearch is asked by each panel of our NDJSON, and how its answer is read.

By Lens's own rules: the form-based columns become nested aggregations in the order of
``columnOrder``; the query is the time range on the data view's time field, the panel's own query
and the filters of the dashboard's controls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

INTERVAL = "3h"
"""What ``auto`` is for two days."""

SMALL, SHARD_SIZE = 10, 25
"""Up to ten values Kibana asks each shard for more, so that counts come right."""

LISTED = 500

Rows = dict[tuple[str, ...], tuple[Any, ...]]
"""The keys of nested buckets to the numbers in the innermost."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A panel's request."""

    dashboard: str
    title: str
    index: str
    body: dict[str, Any]
    layer: Mapping[str, Any] | None
    """None of a listing."""

    def rows(self, answer: Mapping[str, Any]) -> Rows:
        """The answer's buckets with documents."""
        layer = self.layer or {}
        total = answer["hits"]["total"]["value"]
        found = {"doc_count": total, **answer.get("aggregations", {})}
        return dict(_rows(found, layer["columns"], layer["columnOrder"]))


def asked(text: str, *, span: tuple[str, str], chosen: Mapping[str, str]) -> list[Asked]:
    """The requests of all panels, for what is chosen in controls: field to value."""
    objects = {(one["type"], one["id"]): one for one in map(json.loads, text.splitlines())}
    return [
        request
        for (kind, _), one in objects.items()
        if kind == "dashboard"
        for request in _of_dashboard(one, objects, span=span, chosen=chosen)
    ]


def _of_dashboard(
    one: Mapping[str, Any],
    objects: Mapping[tuple[str, str], Mapping[str, Any]],
    *,
    span: tuple[str, str],
    chosen: Mapping[str, str],
) -> Iterator[Asked]:
    refs = {ref["name"]: (ref["type"], ref["id"]) for ref in one["references"]}
    controls = json.loads(one["attributes"]["controlGroupInput"]["panelsJSON"]).values()
    fields = {control["explicitInput"]["fieldName"] for control in controls}
    filters = [{"match_phrase": {name: value}} for name, value in chosen.items() if name in fields]
    for panel in json.loads(one["attributes"]["panelsJSON"]):
        number = panel["panelIndex"]
        if panel["type"] == "search":
            listing = objects[refs[f"{number}:{panel['panelRefName']}"]]
            view = _view(listing["references"], objects)
            source = json.loads(listing["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            body: dict[str, Any] = {
                "size": LISTED,
                "sort": [{name: order} for name, order in listing["attributes"]["sort"]],
                "fields": listing["attributes"]["columns"],
            }
            query, layer = source["query"], None
        else:
            state = panel["embeddableConfig"]["attributes"]["state"]
            ((name, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
            view = objects[refs[f"{number}:indexpattern-datasource-layer-{name}"]]
            order, columns = layer["columnOrder"], layer["columns"]
            body = {"size": 0, "aggs": _aggregations(columns, order, span)}
            query = state["query"]
        within = [_span(view, span), *_lucene(query), *filters]
        body |= {"track_total_hits": True, "query": {"bool": {"filter": within}}}
        yield Asked(
            dashboard=one["id"],
            title=panel["title"],
            index=view["attributes"]["title"],
            body=body,
            layer=layer,
        )


def _view(
    references: Sequence[Mapping[str, str]], objects: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Mapping[str, Any]:
    (found,) = (one for one in references if one["type"] == "index-pattern")
    return objects["index-pattern", found["id"]]


def _span(view: Mapping[str, Any], span: tuple[str, str]) -> dict[str, Any]:
    # On any other field than the data view's own the range would silently match nothing.
    time = view["attributes"]["timeFieldName"]
    bounds = {"gte": span[0], "lte": span[1], "format": "strict_date_optional_time"}
    return {"range": {time: bounds}}


def _lucene(query: Mapping[str, str]) -> list[dict[str, Any]]:
    if not query["query"]:
        return []
    assert query["language"] == "lucene"
    return [{"query_string": {"query": query["query"], "analyze_wildcard": True}}]


def _aggregations(
    columns: Mapping[str, Any], order: Sequence[str], span: tuple[str, str]
) -> dict[str, Any]:
    if not order:
        return {}
    name, rest = order[0], order[1:]
    column = columns[name]
    if not column["isBucketed"]:
        return {name: made for name in order if (made := _number(columns[name])) is not None}
    made = _buckets(column, columns, span)
    inner = _aggregations(columns, rest, span)
    return {name: made | ({"aggs": inner} if inner else {})}


def _buckets(
    column: Mapping[str, Any], columns: Mapping[str, Any], span: tuple[str, str]
) -> dict[str, Any]:
    field, params = column["sourceField"], column["params"]
    if column["operationType"] == "date_histogram":
        assert params["interval"] == "auto"
        made: dict[str, Any] = {"field": field, "fixed_interval": INTERVAL, "min_doc_count": 1}
        if params["includeEmptyRows"]:
            bounds = {"min": span[0], "max": span[1]}
            made |= {"min_doc_count": 0, "extended_bounds": bounds}
        return {"date_histogram": made}
    assert column["operationType"] == "terms"
    size = params["size"]
    if params["orderBy"]["type"] == "significant":
        return {"significant_terms": {"field": field, "size": size}}
    ranked = params["orderBy"]["columnId"]
    is_count = columns[ranked]["operationType"] == "count"
    order = {"_count" if is_count else ranked: params["orderDirection"]}
    made = {"field": field, "size": size, "order": order}
    return {"terms": made | ({"shard_size": SHARD_SIZE} if size <= SMALL else {})}


def _number(column: Mapping[str, Any]) -> dict[str, Any] | None:
    field, params = column["sourceField"], column["params"]
    match column["operationType"]:
        case "count":
            return None  # every bucket says how many documents it has
        case "unique_count":
            return {"cardinality": {"field": field}}
        case "max":
            return {"max": {"field": field}}
        case "percentile":
            return {"percentiles": {"field": field, "percents": [params["percentile"]]}}
        case "last_value":
            sort = [{params["sortField"]: {"order": "desc"}}]
            return {"top_hits": {"size": 1, "sort": sort, "_source": field}}
    raise AssertionError(column["operationType"])


def _rows(
    found: Mapping[str, Any], columns: Mapping[str, Any], order: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    name = order[0]
    if not columns[name]["isBucketed"]:
        yield (), tuple(_read(found, columns[one], one) for one in order)
        return
    is_time = columns[name]["operationType"] == "date_histogram"
    for bucket in found[name]["buckets"]:
        if bucket["doc_count"]:
            key = _moment(bucket["key"]) if is_time else str(bucket["key"])
            for path, numbers in _rows(bucket, columns, order[1:]):
                yield (key, *path), numbers


def _read(found: Mapping[str, Any], column: Mapping[str, Any], name: str) -> Any:
    match column["operationType"]:
        case "count":
            return found["doc_count"]
        case "percentile":
            (value,) = found[name]["values"].values()
            return value
        case "last_value":
            (hit,) = found[name]["hits"]["hits"]
            return hit["_source"][column["sourceField"]]
    return found[name]["value"]


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
