"""Whether a Lens panel's state holds together: accessors, columns, fields, order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Fields = Mapping[str, str]
"""Names and types of an index."""

NUMBERS = ("float", "integer", "long")
AGGREGATABLE = ("keyword", "date", *NUMBERS)
SOURCES: Mapping[str, Sequence[str]] = {
    "count": ("___records___",),
    "unique_count": AGGREGATABLE,
    "max": NUMBERS,
    "percentile": NUMBERS,
    "last_value": ("text", *AGGREGATABLE),
    "terms": AGGREGATABLE,
    "date_histogram": ("date",),
}
"""The operations that we can derive, and the types of fields that each can read."""


def lens_faults(
    body: Mapping[str, Any], fields_of: Callable[[str], Fields | None]
) -> Iterator[str]:
    """What is wrong with the attributes of a Lens panel, given the fields a layer reads."""
    state = body["state"]
    if set(state["datasourceStates"]) != {"formBased"}:
        yield "is not form-based"
        return
    layers = state["datasourceStates"]["formBased"]["layers"]
    for drawn in _drawn(body["visualizationType"], state["visualization"]):
        layer, fields = layers.get(drawn["layerId"]), fields_of(drawn["layerId"])
        if layer is None:
            yield f"draws the missing layer {drawn['layerId']}"
        elif fields is None:
            yield "its layer has no data view"
        else:
            yield from _layer(layer, fields)
            shown = _accessors(body["visualizationType"], drawn)
            if set(shown) != set(layer["columns"]):
                yield f"draws {shown}, has {list(layer['columns'])}"


def _drawn(kind: str, visualization: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if kind in ("lnsXY", "lnsPie"):
        layers: Sequence[Mapping[str, Any]] = visualization["layers"]
        return layers
    return [visualization]


def _accessors(kind: str, drawn: Mapping[str, Any]) -> list[str]:
    single = {
        "lnsXY": ("xAccessor", "splitAccessor"),
        "lnsMetric": ("metricAccessor",),
        "lnsTagcloud": ("tagAccessor", "valueAccessor"),
    }.get(kind, ())
    several = {"lnsXY": ("accessors",), "lnsPie": ("primaryGroups", "metrics")}.get(kind, ())
    found = [drawn[name] for name in single if name in drawn]
    found += [one for name in several for one in drawn[name]]
    if kind == "lnsDatatable":
        found += [one["columnId"] for one in drawn["columns"]]
    return found


def _layer(layer: Mapping[str, Any], fields: Fields) -> Iterator[str]:
    columns, order = layer["columns"], layer["columnOrder"]
    if sorted(order) != sorted(columns):
        yield "its columnOrder names other columns"
        return
    bucketed = [columns[name]["isBucketed"] for name in order]
    if bucketed != sorted(bucketed, reverse=True):
        yield "numbers come before buckets"
    for name in order:
        yield from (f"column {name}: {fault}" for fault in _column(columns[name], layer, fields))


def _column(column: Mapping[str, Any], layer: Mapping[str, Any], fields: Fields) -> Iterator[str]:
    operation, field, params = column["operationType"], column["sourceField"], column["params"]
    wanted = SOURCES.get(operation)
    if wanted is None:
        yield f"operation {operation} is not one that can be derived"
        return
    if fields.get(field, field) not in wanted:
        yield f"{operation} of {field}, which is {fields.get(field, 'no field')}"
    if operation == "last_value":
        if fields.get(params["sortField"]) != "date":
            yield f"sorted by {params['sortField']}, which is no date"
        if fields.get(field) == "text" and not params["showArrayValues"]:
            yield "a text needs showArrayValues"
    if operation == "terms":
        yield from _order(params["orderBy"], layer)


def _order(order: Mapping[str, Any], layer: Mapping[str, Any]) -> Iterator[str]:
    if order["type"] not in ("column", "significant"):
        yield f"ordered by {order['type']}"
    if order["type"] != "column":
        return
    ranked = layer["columns"].get(order["columnId"])
    if ranked is None or ranked["isBucketed"]:
        yield f"ordered by {order['columnId']}, which is no number of its layer"
    elif ranked["operationType"] in ("last_value", "percentile"):
        yield f"cannot be ordered by {ranked['operationType']}"
