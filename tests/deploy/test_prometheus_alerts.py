"""The alarms: of the shape that Prometheus reads, and over figures that we really give."""

from __future__ import annotations

import re
from typing import Literal

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, ConfigDict, Field

from processors.stage_health import StageHealth
from tests.conftest import ROOT
from tests.deployment import DEPLOY

DURATION = r"^\d+[smhd]$"
FUNCTIONS = {"abs", "and", "by", "count", "deriv", "increase", "offset", "resets", "sum", "unless"}
FUNCTIONS |= {"fstype", "job", "or", "stage"}
"""Words of the expressions that are no figures: functions, operators, labels."""

OTHERS = {"up"} | {
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_timex_offset_seconds",
    "node_timex_sync_status",
}
"""Figures of Prometheus itself and of node_exporter."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Labels(_Strict):
    severity: Literal["page", "ticket"]


class Annotations(_Strict):
    summary: str
    description: str


class Rule(_Strict):
    alert: str = Field(pattern=r"^Wirewatch[A-Za-z]+$")
    expr: str
    wait: str = Field(default="0s", alias="for", pattern=DURATION)
    labels: Labels
    annotations: Annotations


class Group(_Strict):
    name: str
    rules: list[Rule]


class File(_Strict):
    groups: list[Group]


RULES = [
    rule
    for group in File.model_validate(
        yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text("utf-8"))
    ).groups
    for rule in group.rules
]


def figures(expression: str) -> set[str]:
    """The names in ``expression`` that are no words of the language, labels or values."""
    bare = re.sub(r"\"[^\"]*\"|\[[^\]]*\]|\b\d+[smhd]\b", "", expression)
    return set(re.findall(r"[a-z_]+", bare)) - FUNCTIONS


def exported() -> set[str]:
    """The names of all figures that the stages give."""
    registry = CollectorRegistry()
    registry.register(StageHealth("tag", silent_seconds=60))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {sample.name for family in families for sample in family.samples}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.alert))
def test_an_alarm_is_over_figures_that_there_are(rule: Rule) -> None:
    found = figures(rule.expr)

    assert found
    assert found <= exported() | OTHERS
    assert rule.expr.count("(") == rule.expr.count(")")


def test_a_misspelt_figure_would_be_seen() -> None:
    assert figures('sum(wirewatch_stage_lags{stage="tag"}) > 3') == {"wirewatch_stage_lags"}


def test_the_page_says_what_to_do_on_each_alarm_and_names_no_other() -> None:
    page = (ROOT / "docs" / "many-machines.md").read_text("utf-8")

    assert set(re.findall(r"`(Wirewatch[A-Z]\w+)`", page)) == {rule.alert for rule in RULES}
