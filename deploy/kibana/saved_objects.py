"""The dashboards as Kibana imports them: saved objects, one JSON object a line. Pure.

Written at the oldest versions that can say what they say, since Kibana migrates older objects up
and refuses newer ones: Kibana 8.9 and later, 9 included, should read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.kibana.lens import REFERENCE, attributes
from deploy.kibana.panels import Control, Dashboard, DataView, Listing, Panel

CORE_VERSION = "8.8.0"
VERSIONS = {
    "index-pattern": "8.0.0",
    "search": "8.0.0",
    "dashboard": "8.9.0",
}
"""Of each type, the version of its shape that we write."""

INDEX_OF_SEARCH = "kibanaSavedObjectMeta.searchSourceJSON.index"

Reference = dict[str, str]


def ndjson(dashboards: Sequence[Dashboard], views: Sequence[DataView], *, prefix: str) -> str:
    """The file that Kibana imports, for indices whose names begin with ``prefix``."""
    objects = saved_objects(dashboards, views, prefix=prefix)
    return "".join(f"{_text(one)}\n" for one in objects)


def saved_objects(
    dashboards: Sequence[Dashboard], views: Sequence[DataView], *, prefix: str
) -> Iterator[dict[str, Any]]:
    """Data views, then each dashboard's listings and the dashboard itself."""
    for view in views:
        yield _view(view, prefix=prefix)
    for dashboard in dashboards:
        yield from _listings(dashboard, prefix=prefix)
        yield _dashboard(dashboard, prefix=prefix)


def dashboard_id(dashboard: Dashboard, *, prefix: str) -> str:
    """The id in Kibana; not that of a data view of the same name."""
    return f"{prefix}-dashboard-{dashboard.name}"


def view_id(view: DataView, *, prefix: str) -> str:
    """The id of a data view: the name of the index or alias it reads."""
    return f"{prefix}-{view.name}"


def _object(kind: str, name: str, body: dict[str, Any], refs: list[Reference]) -> dict[str, Any]:
    return {
        "id": name,
        "type": kind,
        "attributes": body,
        "references": refs,
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": VERSIONS[kind],
        "managed": False,
    }


def _view(view: DataView, *, prefix: str) -> dict[str, Any]:
    name = view_id(view, prefix=prefix)
    body = {
        "title": name,
        "name": f"Wirewatch {view.name}",
        "timeFieldName": view.time,
        "fields": "[]",  # Kibana asks the index
        "fieldFormatMap": "{}",
        "fieldAttrs": "{}",
        "runtimeFieldMap": "{}",
        "sourceFilters": "[]",
        "typeMeta": "{}",
        "allowHidden": False,
    }
    return _object("index-pattern", name, body, [])


def _placed(dashboard: Dashboard) -> Iterator[tuple[str, Panel | Listing, dict[str, Any]]]:
    """Every panel with its number and its place in the grid, row below row."""
    top = 0
    for line, row in enumerate(dashboard.rows, 1):
        left = 0
        for place, panel in enumerate(row.panels, 1):
            number = f"{line}-{place}"
            grid = {"x": left, "y": top, "w": panel.width, "h": row.height, "i": number}
            yield number, panel, grid
            left += panel.width
        top += row.height


def _listings(dashboard: Dashboard, *, prefix: str) -> Iterator[dict[str, Any]]:
    for number, panel, _ in _placed(dashboard):
        if isinstance(panel, Listing):
            yield _listing(panel, _listing_id(dashboard, number, prefix=prefix), prefix=prefix)


def _listing_id(dashboard: Dashboard, number: str, *, prefix: str) -> str:
    return f"{prefix}-listing-{dashboard.name}-{number}"


def _listing(panel: Listing, name: str, *, prefix: str) -> dict[str, Any]:
    source = {
        "query": {"query": panel.where, "language": "lucene"},
        "filter": [],
        "indexRefName": INDEX_OF_SEARCH,
    }
    body = {
        "title": panel.title,
        "description": "",
        "columns": list(panel.fields),
        "sort": [[panel.view.time, "desc"]],
        "grid": {},
        "hideChart": True,
        "isTextBasedQuery": False,
        "timeRestore": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _text(source)},
    }
    return _object("search", name, body, [_reference(panel.view, INDEX_OF_SEARCH, prefix=prefix)])


def _dashboard(dashboard: Dashboard, *, prefix: str) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    refs: list[Reference] = []
    for number, panel, grid in _placed(dashboard):
        if isinstance(panel, Listing):
            shown, ref = _listing_panel(panel, _listing_id(dashboard, number, prefix=prefix), grid)
        else:
            shown, ref = _lens_panel(panel, grid, prefix=prefix)
        panels.append(shown)
        refs.append(ref)
    numbered = [(f"control-{place}", one) for place, one in enumerate(dashboard.controls)]
    refs += [
        _reference(one.view, f"controlGroup_{name}:optionsListDataView", prefix=prefix)
        for name, one in numbered
    ]
    body = {
        "title": dashboard.title,
        "description": dashboard.description,
        "version": 1,
        "timeRestore": True,
        "timeFrom": dashboard.since,
        "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 30_000},
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": _text({"query": {"query": "", "language": "kuery"}, "filter": []})
        },
        "optionsJSON": _text(_OPTIONS),
        "panelsJSON": _text(panels),
        "controlGroupInput": _controls(numbered),
    }
    return _object("dashboard", dashboard_id(dashboard, prefix=prefix), body, refs)


_OPTIONS = {
    "useMargins": True,
    "syncColors": True,
    "syncCursor": True,
    "syncTooltips": False,
    "hidePanelTitles": False,
}


def _lens_panel(
    panel: Panel, grid: dict[str, Any], *, prefix: str
) -> tuple[dict[str, Any], Reference]:
    name = view_id(panel.view, prefix=prefix)
    shown = {
        "type": "lens",
        "title": panel.title,
        "panelIndex": grid["i"],
        "gridData": grid,
        "embeddableConfig": {"attributes": attributes(panel, view_id=name), "enhancements": {}},
    }
    # A panel's own references are repeated by the dashboard, under the panel's number.
    return shown, _reference(panel.view, f"{grid['i']}:{REFERENCE}", prefix=prefix)


def _listing_panel(
    panel: Listing, name: str, grid: dict[str, Any]
) -> tuple[dict[str, Any], Reference]:
    own_name = f"panel_{grid['i']}"
    shown = {
        "type": "search",
        "title": panel.title,
        "panelIndex": grid["i"],
        "gridData": grid,
        "panelRefName": own_name,
        "embeddableConfig": {"enhancements": {}},
    }
    return shown, {"type": "search", "id": name, "name": f"{grid['i']}:{own_name}"}


def _controls(numbered: Sequence[tuple[str, Control]]) -> dict[str, Any]:
    panels = {
        name: {
            "order": place,
            "width": "medium",
            "grow": True,
            "type": "optionsListControl",
            "explicitInput": {
                "id": name,
                "fieldName": one.field,
                "title": one.title,
                "singleSelect": one.is_single,
                "selectedOptions": [],
                "enhancements": {},
            },
        }
        for place, (name, one) in enumerate(numbered)
    }
    ignored = ("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations")
    return {
        "controlStyle": "oneLine",
        "chainingSystem": "HIERARCHICAL",
        "ignoreParentSettingsJSON": _text(dict.fromkeys(ignored, False)),
        "panelsJSON": _text(panels),
    }


def _reference(view: DataView, name: str, *, prefix: str) -> Reference:
    return {"type": "index-pattern", "id": view_id(view, prefix=prefix), "name": name}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
