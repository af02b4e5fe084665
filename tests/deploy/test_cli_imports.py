"""A command loads what it needs and no more: every start waits for every import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "fastapi", "feedparser", "httpx", "numpy", "tantivy", "uvicorn")


def loaded(*modules: str) -> set[str]:
    program = f"import sys, json, {', '.join(modules)}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return {str(name) for name in json.loads(done.stdout)}


def test_help_needs_neither_settings_nor_stores() -> None:
    found = loaded("deploy.cli")
    assert not found & {*HEAVY, "pydantic", "rich.console", "structlog", "yaml"}


@pytest.mark.parametrize("module", ["deploy.settings", "deploy.cli.client"])
def test_a_request_to_a_running_process_loads_no_stage(module: str) -> None:
    assert not loaded("deploy.cli", module) & set(HEAVY)


def test_the_reader_of_feeds_is_loaded_in_its_sandbox_only() -> None:
    assert "feedparser" not in loaded("deploy.embedded")


def test_one_machine_needs_no_package_of_the_distributed_system() -> None:
    extra = {"aiokafka", "elasticsearch", "faust", "kafka"}
    assert not loaded("deploy.cli", "deploy.running", "deploy.local") & extra


def test_a_stage_starts_without_what_the_others_need() -> None:
    found = loaded("deploy.cli", "deploy.events", "deploy.stage")
    assert not found & {*HEAVY, "elasticsearch", "faust", "kafka"}
