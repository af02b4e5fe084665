"""The image: what goes into it, who runs in it, and what it starts with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deployment import DEPLOY, METRICS_PORT, assert_parses, is_pinned, unknown_settings

TEXT = (DEPLOY / "Dockerfile").read_text("utf-8")
LINES = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
LAST = LINES[max(n for n, line in enumerate(LINES) if line.startswith("FROM")) :]


def given(instruction: str, lines: list[str]) -> list[str]:
    """What stands after ``instruction``, in order."""
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{instruction} ")]


def test_the_base_is_pinned() -> None:
    (base,) = given("ARG", LINES)

    assert is_pinned(base.removeprefix("BASE="))
    assert {line.split()[0] for line in given("FROM", LINES)} == {"${BASE}"}


def test_packages_come_by_hash_and_nothing_is_compiled() -> None:
    installs = [
        one for line in given("RUN", LINES) for one in re.findall(r"pip install[^&]*", line)
    ]

    for one in installs:
        assert "--require-hashes" in one or "--no-deps" in one, one
    assert any("--only-binary :all: -r requirements-distributed.txt" in one for one in installs)
    assert not re.search(r"apt-get|apk |gcc|build-essential|curl |wget ", "\n".join(LINES))


def test_the_last_stage_holds_only_what_runs() -> None:
    assert not any("pip" in line for line in given("RUN", LAST))
    sources = [words.split()[-2] for words in given("COPY", LAST)]
    assert sources == ["/opt/wirewatch", "deploy/entrypoint.sh"]


def test_it_runs_as_a_number_that_is_not_root() -> None:
    (user,) = given("USER", LAST)

    assert user == "10001:10001"
    assert "--uid 10001" in TEXT


def test_its_health_is_asked_where_a_stage_answers() -> None:
    (check,) = given("HEALTHCHECK", LAST)

    assert f"127.0.0.1:{METRICS_PORT}/healthz" in check
    assert f"WIREWATCH_STAGE__METRICS_PORT={METRICS_PORT}" in TEXT


def test_its_variables_and_its_command_are_ours() -> None:
    assert unknown_settings(re.findall(r"WIREWATCH_\w+", TEXT)) == []
    (command,) = given("CMD", LAST)
    assert_parses(re.findall(r"\"(\w+)\"", command))


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}

    assert ignored[1] == "*"  # after the comment: everything is left out but what is named
    assert all((ROOT / name).exists() for name in allowed)
    assert {"requirements.txt", "requirements-distributed.txt"} <= allowed
    wheel = {"ingest", "processors", "search", "deploy", "pyproject.toml"}
    assert wheel | {"README.md", "LICENSE", "NOTICE"} <= allowed


@pytest.fixture
def stub(tmp_path: Path) -> dict[str, str]:
    """An environment whose `wirewatch` tells what it was started with."""
    command = tmp_path / "wirewatch"
    command.write_text('#!/bin/sh\necho "$WIREWATCH_LOG__MEMBER" "$@"\n', "ascii")
    command.chmod(0o755)
    return {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)}


def started(environment: dict[str, str]) -> str:
    return subprocess.run(
        [DEPLOY / "entrypoint.sh", "stage", "tag"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_worker_is_named_as_its_host_unless_told_otherwise(stub: dict[str, str]) -> None:
    assert started(stub) == f"{os.uname().nodename} stage tag\n"
    assert started(stub | {"WIREWATCH_LOG__MEMBER": "seven"}) == "seven stage tag\n"


def test_tables_of_a_killed_run_are_cleared_away(stub: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "wirewatch-table-x" / "deep").mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    started(stub)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept", "wirewatch"]


def test_the_name_that_is_cleared_away_is_the_tables_own() -> None:
    assert 'prefix="wirewatch-table-"' in (ROOT / "ingest" / "kafka_table.py").read_text("utf-8")
