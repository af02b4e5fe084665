"""The exported dashboards hold together, by rules of Kibana's that are checked without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploy.kibana.dashboards import DASHBOARDS, exported
from deploy.kibana.panels import COLUMNS, Listing, Panel
from deploy.kibana.views import ARTICLES
from search.elastic_schema import article_body
from tests.deploy.kibana_check import faults
from tests.deploy.kibana_fixture import FIELDS
from tests.story_records import story

PREFIX = "wirewatch"
MAPPINGS = {f"{PREFIX}-{name}": fields for name, fields in FIELDS.items()}
EXPORTED = exported(prefix=PREFIX)

Object = dict[str, Any]


def test_the_exported_file_has_no_fault() -> None:
    assert faults(EXPORTED, MAPPINGS) == []


def test_every_row_fills_the_grid() -> None:
    for dashboard in DASHBOARDS:
        for row in dashboard.rows:
            assert sum(panel.width for panel in row.panels) == COLUMNS, dashboard.name


def test_panels_of_a_dashboard_have_titles_of_their_own() -> None:
    for dashboard in DASHBOARDS:
        titles = [panel.title for row in dashboard.rows for panel in row.panels]
        assert len(set(titles)) == len(titles)


def test_an_indexed_article_has_every_field_that_is_shown_of_it() -> None:
    record = replace(
        story("one", "Envoys met in the harbour.", title="Talks", topics=("talks",)), copy_of="two"
    )
    panels = [panel for one in DASHBOARDS for row in one.rows for panel in row.panels]
    wanted = {
        name
        for panel in panels
        if panel.view == ARTICLES
        for name in (panel.fields if isinstance(panel, Listing) else fields_of(panel))
    }

    assert wanted <= article_body(record).keys()


def fields_of(panel: Panel) -> set[str]:
    fields = {one.field for one in panel.by} | {one.field for one in panel.shows}
    return (fields | {panel.where.partition(":")[0]}) - {""}


def objects() -> list[Object]:
    return [json.loads(line) for line in EXPORTED.splitlines()]


def of_type(all_objects: list[Object], kind: str) -> Object:
    return next(one for one in all_objects if one["type"] == kind)


def in_panels(change: Callable[[list[Object]], None]) -> Callable[[list[Object]], None]:
    """A change of the first dashboard's panels."""

    def changed(all_objects: list[Object]) -> None:
        body = of_type(all_objects, "dashboard")["attributes"]
        panels = json.loads(body["panelsJSON"])
        change(panels)
        body["panelsJSON"] = json.dumps(panels)

    return changed


def layer(panel: Object) -> Object:
    state: Object = panel["embeddableConfig"]["attributes"]["state"]
    (found,) = state["datasourceStates"]["formBased"]["layers"].values()
    assert isinstance(found, dict)
    return found


def column(panel: Object, place: int) -> Object:
    found = layer(panel)
    one: Object = found["columns"][found["columnOrder"][place]]
    return one


def drop_reference(all_objects: list[Object]) -> None:
    of_type(all_objects, "dashboard")["references"].pop()


def drop_view(all_objects: list[Object]) -> None:
    all_objects.remove(of_type(all_objects, "index-pattern"))


def write_newer(all_objects: list[Object]) -> None:
    of_type(all_objects, "dashboard")["typeMigrationVersion"] = "10.3.0"


def decode_panels(all_objects: list[Object]) -> None:
    body = of_type(all_objects, "dashboard")["attributes"]
    body["panelsJSON"] = json.loads(body["panelsJSON"])


def add_attribute(all_objects: list[Object]) -> None:
    of_type(all_objects, "dashboard")["attributes"]["sections"] = []


def rename_column(all_objects: list[Object]) -> None:
    of_type(all_objects, "search")["attributes"]["columns"][0] = "published_at"


def other_time(all_objects: list[Object]) -> None:
    of_type(all_objects, "index-pattern")["attributes"]["timeFieldName"] = "source"


def other_control(all_objects: list[Object]) -> None:
    chosen = [one for one in all_objects if "controlGroupInput" in one["attributes"]]
    group = chosen[1]["attributes"]["controlGroupInput"]
    group["panelsJSON"] = group["panelsJSON"].replace('"topics"', '"title"')


FAULTS: dict[str, Callable[[list[Object]], None]] = {
    "a reference is missing": drop_reference,
    "a data view is missing": drop_view,
    "a version is too new": write_newer,
    "panels are no text": decode_panels,
    "an attribute is unknown": add_attribute,
    "a column is no field": rename_column,
    "a time is no date": other_time,
    "a control is no keyword": other_control,
    "numbers differ": in_panels(lambda panels: panels[0]["gridData"].update(i="9")),
    "a panel leaves the grid": in_panels(lambda panels: panels[3]["gridData"].update(w=24)),
    "panels overlap": in_panels(lambda panels: panels[1]["gridData"].update(x=6)),
    "an accessor is no column": in_panels(
        lambda panels: layer(panels[4])["columns"].update(other=column(panels[4], 0))
    ),
    "buckets come last": in_panels(lambda panels: layer(panels[4])["columnOrder"].reverse()),
    "a field is unknown": in_panels(
        lambda panels: column(panels[4], 0).update(sourceField="topic")
    ),
    "a text is aggregated": in_panels(
        lambda panels: column(panels[4], 0).update(sourceField="title")
    ),
    "a keyword is no date": in_panels(
        lambda panels: column(panels[4], 1).update(sourceField="source")
    ),
    "an order is no column": in_panels(
        lambda panels: column(panels[4], 0)["params"]["orderBy"].update(columnId="gone")
    ),
    "an operation is unknown": in_panels(
        lambda panels: column(panels[4], 2).update(operationType="formula")
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_check_finds(name: str) -> None:
    broken = objects()
    FAULTS[name](broken)

    assert faults("".join(f"{json.dumps(one)}\n" for one in broken), MAPPINGS)
