"""Whether Kibana would take our saved objects, by rules read in its sources; no Kibana runs here.

Each fault is a sentence; none is what we want.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.deploy.lens_check import AGGREGATABLE, Fields, lens_faults

COLUMNS = 48

ATTRIBUTES: Mapping[str, Mapping[str, type]] = {
    "index-pattern": {
        **dict.fromkeys(("title", "name", "timeFieldName", "fields", "fieldFormatMap"), str),
        **dict.fromkeys(("fieldAttrs", "runtimeFieldMap", "sourceFilters", "typeMeta"), str),
        "allowHidden": bool,
    },
    "search": {
        "title": str,
        "description": str,
        "columns": list,
        "sort": list,
        "grid": dict,
        "hideChart": bool,
        "isTextBasedQuery": bool,
        "timeRestore": bool,
        "kibanaSavedObjectMeta": dict,
    },
    "dashboard": {
        **dict.fromkeys(("title", "description", "timeFrom", "timeTo"), str),
        **dict.fromkeys(("optionsJSON", "panelsJSON"), str),
        **dict.fromkeys(("kibanaSavedObjectMeta", "controlGroupInput", "refreshInterval"), dict),
        "timeRestore": bool,
        "version": int,
    },
}
"""What each type may have at the version that we write: Kibana refuses what it does not know."""

OLDEST = {"index-pattern": (8, 0), "search": (8, 0), "dashboard": (8, 9)}
OBJECT = {
    *("id", "type", "attributes", "references", "managed"),
    *("coreMigrationVersion", "typeMigrationVersion"),
}
CONTROLS = {"controlStyle", "chainingSystem", "ignoreParentSettingsJSON", "panelsJSON"}


def faults(text: str, mappings: Mapping[str, Fields]) -> list[str]:
    """What is wrong with an NDJSON file, given the fields of each data view."""
    objects = [json.loads(line) for line in text.splitlines()]
    known = {(one["type"], one["id"]) for one in objects}
    found = []
    if len(known) != len(objects):
        found.append("two objects have one id")
    for one in objects:
        name = f"{one['type']} {one['id']}"
        found += [f"{name}: {fault}" for fault in _Check(one, known, mappings).faults()]
    return found


@dataclass(frozen=True)
class _Check:
    object: Mapping[str, Any]
    known: set[tuple[str, str]]
    mappings: Mapping[str, Fields]

    @property
    def refs(self) -> dict[str, tuple[str, str]]:
        return {one["name"]: (one["type"], one["id"]) for one in self.object["references"]}

    def faults(self) -> Iterator[str]:
        one = self.object
        if set(one) != OBJECT:
            yield f"has {sorted(set(one) ^ OBJECT)} too many or too few"
        if len(self.refs) != len(one["references"]):
            yield "two references have one name"
        for name, target in self.refs.items():
            if target not in self.known:
                yield f"reference {name} leads to {target}, which is not in the file"
        yield from self._version()
        yield from self._attributes()
        match one["type"]:
            case "index-pattern":
                yield from self._view()
            case "search":
                yield from self._search()
            case "dashboard":
                yield from self._dashboard()

    def _version(self) -> Iterator[str]:
        version = tuple(map(int, self.object["typeMigrationVersion"].split(".")[:2]))
        if version > OLDEST[self.object["type"]]:
            yield "is written at a version that an older Kibana refuses"
        if self.object["coreMigrationVersion"] != "8.8.0":
            yield "coreMigrationVersion is not 8.8.0"

    def _attributes(self) -> Iterator[str]:
        allowed = ATTRIBUTES[self.object["type"]]
        for name, value in self.object["attributes"].items():
            if name not in allowed:
                yield f"attribute {name} is unknown"
            elif not isinstance(value, allowed[name]):
                yield f"attribute {name} is no {allowed[name].__name__}"
        for name in allowed.keys() - self.object["attributes"].keys():
            yield f"attribute {name} is missing"

    def _view(self) -> Iterator[str]:
        body = self.object["attributes"]
        fields = self.mappings.get(body["title"])
        if fields is None:
            yield f"no index is called {body['title']}"
        elif fields.get(body["timeFieldName"]) != "date":
            yield f"its time {body['timeFieldName']} is no date"
        for name in ("fields", "fieldFormatMap", "fieldAttrs", "runtimeFieldMap", "typeMeta"):
            yield from _not_json(body[name], name)

    def _search(self) -> Iterator[str]:
        body = self.object["attributes"]
        yield from _not_json(body["kibanaSavedObjectMeta"].get("searchSourceJSON"), "search")
        source = json.loads(body["kibanaSavedObjectMeta"]["searchSourceJSON"])
        fields = self._fields(source["indexRefName"])
        if fields is None:
            yield "has no data view"
            return
        yield from _query(source["query"])
        for name in body["columns"]:
            if name not in fields:
                yield f"column {name} is no field"
        for name, direction in body["sort"]:
            if fields.get(name) not in AGGREGATABLE or direction not in ("asc", "desc"):
                yield f"cannot be sorted by {name} {direction}"

    def _fields(self, reference: str) -> Fields | None:
        kind, name = self.refs.get(reference, ("", ""))
        return self.mappings.get(name) if kind == "index-pattern" else None

    def _dashboard(self) -> Iterator[str]:
        body = self.object["attributes"]
        texts = {name: body.get(name) for name in ("panelsJSON", "optionsJSON")}
        texts["searchSourceJSON"] = body["kibanaSavedObjectMeta"].get("searchSourceJSON")
        controls = body["controlGroupInput"]
        texts["controls"] = controls.get("panelsJSON")
        texts["ignored"] = controls.get("ignoreParentSettingsJSON")
        wrong = [fault for name, text in texts.items() for fault in _not_json(text, name)]
        yield from wrong
        if wrong:
            return
        if set(controls) != CONTROLS:
            yield "controlGroupInput has too much or too little"
        panels = json.loads(body["panelsJSON"])
        yield from _places(panels)
        for panel in panels:
            where = f"panel {panel['panelIndex']}"
            yield from (f"{where}: {fault}" for fault in self._panel(panel))
        for name, control in json.loads(controls["panelsJSON"]).items():
            yield from (f"{name}: {fault}" for fault in self._control(name, control))

    def _control(self, name: str, control: Mapping[str, Any]) -> Iterator[str]:
        fields = self._fields(f"controlGroup_{name}:optionsListDataView")
        if control["explicitInput"]["id"] != name:
            yield "has another id inside"
        if fields is None:
            yield "has no data view"
        elif fields.get(control["explicitInput"]["fieldName"]) != "keyword":
            yield f"{control['explicitInput']['fieldName']} is no keyword"

    def _panel(self, panel: Mapping[str, Any]) -> Iterator[str]:
        number = panel["panelIndex"]
        if panel["type"] == "search":
            kind, _ = self.refs.get(f"{number}:{panel['panelRefName']}", ("", ""))
            if panel["panelRefName"] != f"panel_{number}" or kind != "search":
                yield "shows no saved search"
            return
        if panel["type"] != "lens":
            yield f"is of the unknown type {panel['type']}"
            return
        body = panel["embeddableConfig"]["attributes"]
        yield from _query(body["state"]["query"])
        for one in body["references"]:
            if self.refs.get(f"{number}:{one['name']}") != (one["type"], one["id"]):
                yield f"its reference {one['name']} is not repeated by the dashboard"
        yield from lens_faults(
            body, lambda layer: self._fields(f"{number}:indexpattern-datasource-layer-{layer}")
        )


def _not_json(text: Any, name: str) -> Iterator[str]:
    try:
        json.loads(text)
    except (TypeError, ValueError):
        yield f"{name} is not JSON in a string"


def _query(query: Mapping[str, str]) -> Iterator[str]:
    if query["language"] != "lucene" and query["query"]:
        yield f"asks in {query['language']}"


def _places(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    if len({one["panelIndex"] for one in panels}) != len(panels):
        yield "two panels have one number"
    for panel in panels:
        number, grid = panel["panelIndex"], panel["gridData"]
        if grid["i"] != number:
            yield f"panel {number} is {grid['i']} in the grid"
        if grid["x"] < 0 or grid["x"] + grid["w"] > COLUMNS or grid["w"] < 1 or grid["h"] < 1:
            yield f"panel {number} leaves the grid"
        cells = [
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]
        under = {taken[cell] for cell in cells if cell in taken}
        if under:
            yield f"panel {number} lies on {sorted(under)}"
        taken |= dict.fromkeys(cells, number)
