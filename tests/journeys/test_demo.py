"""``wirewatch cluster --demo``: the distributed system on one machine, from start to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.servers.launcher import ServerFiles
from tests.running import COMMAND, ROOT, Place

pytestmark = pytest.mark.timeout(400)

START_SECONDS = 200.0
"""Two servers and seven processes start in some 25 s; this is for a busy machine."""

END_SECONDS = 60.0
STAGES = {"poll", "tag", "tag-2", "group", "index", "alert", "serve"}


def test_every_stage_works_as_a_process_of_its_own_and_all_end_in_good_order(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    place = Place(folder=tmp_path)
    with demo(place, server_files) as process:
        rows = until(process, lambda row: row.get("event") == "found")
        alerts = [row for row in rows if row.get("type") == "article.matched"]
        if not alerts:
            alerts = until(process, lambda row: row.get("type") == "article.matched")
        assert alerts[-1]["data"]["why"]
        found = wirewatch(place, "search", "topic:ceasefire-talks", "--json")
        assert found[-1]["total"]["value"] >= 1
        checks = {row["name"]: row for row in wirewatch(place, "doctor", "--json")}
        assert {name: row["state"] for name, row in checks.items() if row["state"] != "ok"} == {}
        assert (checks["log"]["version"], checks["index"]["version"]) == ("kafka", "elasticsearch")
        pids = family(process.pid)
        assert len(pids) >= len(STAGES)
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_SECONDS) == 0
    gone(pids)


def test_kill_9_of_the_demo_leaves_no_process_behind(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    place = Place(folder=tmp_path)
    logs = place.data / "cluster" / "demo" / "logs"
    with demo(place, server_files) as process:
        until(process, lambda row: row.get("event") == "start")
        assert {file.stem for file in logs.iterdir()} == STAGES
        pids = family(process.pid)
        process.kill()
    gone(pids)


@contextmanager
def demo(place: Place, files: ServerFiles) -> Iterator[subprocess.Popen[str]]:
    """The command, killed at the end where it still runs."""
    verb = ("cluster", "--demo", "--json", "--servers", str(files.jars.path))
    with subprocess.Popen(
        [sys.executable, *COMMAND, *place.arguments(*verb)],
        cwd=ROOT,
        env=place.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(
    process: subprocess.Popen[str], wanted: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """The rows that it prints up to the first that is ``wanted``."""
    rows: list[dict[str, Any]] = []
    assert process.stdout
    deadline = time.monotonic() + START_SECONDS
    for line in process.stdout:
        rows.append(json.loads(line))
        if wanted(rows[-1]):
            return rows
        assert time.monotonic() < deadline, rows
    raise AssertionError(f"it ended after {rows}")


def wirewatch(place: Place, *verb: str) -> list[dict[str, Any]]:
    """The JSON lines of another command on the demo's servers."""
    config = place.data / "cluster" / "demo" / "wirewatch.toml"
    ran = subprocess.run(
        [sys.executable, *COMMAND, "--config", str(config), *verb],
        cwd=ROOT,
        env=place.environment(),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def family(pid: int) -> set[int]:
    """The descendants of a process."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    parents = {int(row[0]): int(row[1]) for row in map(str.split, listed.stdout.splitlines())}
    found: set[int] = set()
    newest = {pid}
    while newest := {child for child, parent in parents.items() if parent in newest}:
        found |= newest
    return found


def gone(pids: set[int]) -> None:
    """Wait until none of them runs."""
    deadline = time.monotonic() + END_SECONDS
    while left := pids & running():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def running() -> set[int]:
    """The processes of this machine; a zombie whose reaper is slow has ended."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid) for pid, state in rows if not state.startswith("Z")}
