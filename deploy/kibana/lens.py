"""A panel as Kibana's Lens stores it. Pure.

Form-based layers only, no formula and no ES|QL: what a panel asks of Elasticsearch can then be
derived from its state, so that a test can ask it.
"""

from __future__ import annotations

from typing import Any

from deploy.kibana.panels import Metric, Panel, Split

LAYER = "layer"
REFERENCE = f"indexpattern-datasource-layer-{LAYER}"
"""How a layer names the data view it reads."""

RECORDS = "___records___"
"""The field of a count."""


def attributes(panel: Panel, *, view_id: str) -> dict[str, Any]:
    """The attributes of a Lens panel that reads the data view ``view_id``."""
    kind, visualization = _visualization(panel)
    return {
        "title": panel.title,
        "description": "",
        "type": "lens",
        "visualizationType": kind,
        "references": [{"type": "index-pattern", "id": view_id, "name": REFERENCE}],
        "state": {
            "visualization": visualization,
            "query": {"query": panel.where, "language": "lucene"},
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {LAYER: _layer(panel)}}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def _layer(panel: Panel) -> dict[str, Any]:
    splits = {_split_id(place): _split(one) for place, one in enumerate(panel.by)}
    metrics = {
        _metric_id(place): _metric(one, time=panel.view.time)
        for place, one in enumerate(panel.shows)
    }
    columns = {**splits, **metrics}
    return {
        "columns": columns,
        "columnOrder": list(columns),  # the order in which buckets are nested
        "incompleteColumns": {},
        "sampling": 1,
    }


def _split_id(place: int) -> str:
    return f"by-{place}"


def _metric_id(place: int) -> str:
    return f"shows-{place}"


def _split(one: Split) -> dict[str, Any]:
    if not one.size:
        return {
            "label": one.label or one.field,
            "dataType": "date",
            "operationType": "date_histogram",
            "isBucketed": True,
            "scale": "interval",
            "sourceField": one.field,
            "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
        }
    by_number = {"type": "column", "columnId": _metric_id(0)}
    return {
        "label": one.label or one.field,
        "customLabel": True,
        "dataType": "string",
        "operationType": "terms",
        "isBucketed": True,
        "scale": "ordinal",
        "sourceField": one.field,
        "params": {
            "size": one.size,
            "orderBy": {"type": "significant"} if one.rank == "significance" else by_number,
            "orderDirection": "desc",
            "otherBucket": False,  # would be a second request
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
            "include": [],
            "exclude": [],
            "includeIsRegex": False,
            "excludeIsRegex": False,
        },
    }


def _metric(one: Metric, *, time: str) -> dict[str, Any]:
    is_text = one.operation == "last_value"
    return {
        "label": one.label,
        "customLabel": True,
        "dataType": "string" if is_text else "number",
        "operationType": one.operation,
        "isBucketed": False,
        "scale": "ordinal" if is_text else "ratio",
        "sourceField": one.field or RECORDS,
        "params": _metric_params(one, time=time),
    }


def _metric_params(one: Metric, *, time: str) -> dict[str, Any]:
    match one.operation:
        case "percentile":
            return {"percentile": one.percent}
        case "last_value":
            # As an array: the other form can show no text.
            return {"sortField": time, "showArrayValues": True}
        case _:
            return {"emptyAsNull": False}


def _visualization(panel: Panel) -> tuple[str, dict[str, Any]]:
    layer = {"layerId": LAYER, "layerType": "data"}
    splits = [_split_id(place) for place in range(len(panel.by))]
    metrics = [_metric_id(place) for place in range(len(panel.shows))]
    match panel.kind:
        case "number":
            return "lnsMetric", {**layer, "metricAccessor": metrics[0]}
        case "bars" | "lines":
            return "lnsXY", _chart(panel, {**layer, "accessors": metrics}, splits)
        case "donut":
            return "lnsPie", _donut({**layer, "primaryGroups": splits, "metrics": metrics})
        case "cloud":
            accessors = {"tagAccessor": splits[0], "valueAccessor": metrics[0]}
            return "lnsTagcloud", {**layer, **accessors, **_CLOUD}
        case "table":
            shown = [{"columnId": one, "isTransposed": False} for one in (*splits, *metrics)]
            return "lnsDatatable", {**layer, "columns": shown}


_CLOUD = {"maxFontSize": 48, "minFontSize": 14, "orientation": "single", "showLabel": False}


def _chart(panel: Panel, layer: dict[str, Any], splits: list[str]) -> dict[str, Any]:
    series = "bar_stacked" if panel.kind == "bars" else "line"
    groups = {"splitAccessor": splits[0]} if len(splits) > 1 else {}
    layer |= {"seriesType": series, "xAccessor": splits[-1], **groups}
    return {
        "legend": {"isVisible": True, "position": "right"},
        "valueLabels": "hide",
        "preferredSeriesType": series,
        "layers": [layer | {"position": "top", "showGridlines": False}],
    }


def _donut(layer: dict[str, Any]) -> dict[str, Any]:
    shown = {"numberDisplay": "value", "categoryDisplay": "default", "legendDisplay": "default"}
    return {"shape": "donut", "layers": [{**layer, **shown, "nestedLegend": False}]}
