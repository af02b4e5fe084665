"""F35: a second copy on the same data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.folder import DataFolder

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import json, os, sys
from pathlib import Path
from deploy.folder import DataFolder
from ingest.errors import UsageError

try:
    with DataFolder(Path(sys.argv[1])).lock(float(sys.argv[2])) as owner:
        print(json.dumps({"pid": owner.pid, "socket": str(owner.socket)}), flush=True)
        sys.stdin.read()
except UsageError as error:
    print(json.dumps(error.as_json()), flush=True)
    sys.exit(2)
"""


class Copy:
    """A process that wants the folder and keeps it until told to end."""

    def __init__(self, folder: Path, timeout_seconds: float = 0.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(timeout_seconds)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def says(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> int:
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_f35_the_second_copy_says_who_runs_and_ends(tmp_path: Path) -> None:
    first = Copy(tmp_path / "data")
    owner = first.says()
    second = Copy(tmp_path / "data")
    said = second.says()
    assert said["code"] == "already-running"
    assert said["error"].startswith(f"Already running (pid {first.process.pid}) on this data")
    assert said["hint"]
    assert second.end() == 2
    found = DataFolder(tmp_path / "data").owner()
    assert found is not None
    assert found.pid == first.process.pid
    assert str(found.socket) == owner["socket"]
    assert first.end() == 0
    assert DataFolder(tmp_path / "data").owner() is None


def test_f35_a_copy_that_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    first = Copy(tmp_path / "data")
    first.says()
    os.kill(first.process.pid, 9)
    first.end()
    assert (tmp_path / "data" / "lock").exists()
    assert DataFolder(tmp_path / "data").owner() is None
    second = Copy(tmp_path / "data")
    assert second.says()["pid"] == second.process.pid
    assert second.end() == 0


def test_f35_a_short_command_waits_for_its_turn(tmp_path: Path) -> None:
    first = Copy(tmp_path / "data")
    first.says()
    second = Copy(tmp_path / "data", 30)
    assert first.end() == 0
    assert second.says()["pid"] == second.process.pid
    assert second.end() == 0
