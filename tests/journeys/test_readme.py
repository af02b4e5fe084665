"""The commands of the README, word for word, as far as they go without the internet."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import COMMAND, ROOT, Place, Running

pytestmark = pytest.mark.timeout(240)

COMMANDS = re.findall(
    r"^    (wirewatch .+)$", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE
)
ENDLESS = {("run",), ("alerts", "watch"), ("cluster", "--demo")}
"""They run until somebody ends them: here, below, and the demo in ``test_demo.py``."""


def words(line: str) -> tuple[str, ...]:
    return tuple(shlex.split(line, comments=True)[1:])


def is_asked_while_running(line: str) -> bool:
    return COMMANDS.index(line) > COMMANDS.index("wirewatch run")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    # No feeds: nothing of a test asks the internet.
    place = Place(folder=tmp_path_factory.mktemp("readme"))
    process = Running(place, *words("wirewatch run"), "--port", "0")
    try:
        asyncio.run(process.ready())
        yield place
    finally:
        assert asyncio.run(process.terminate()) == 0, process.said()


@pytest.mark.parametrize("line", [one for one in COMMANDS if words(one) not in ENDLESS])
def test_a_command_of_the_readme_does_its_work(line: str, running: Place, tmp_path: Path) -> None:
    place = running if is_asked_while_running(line) else Place(folder=tmp_path)
    done = place.call(*words(line), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_alerts_are_watched_until_somebody_ends_it(running: Place) -> None:
    with subprocess.Popen(
        [sys.executable, *COMMAND, *running.arguments(*words("wirewatch alerts watch"))],
        cwd=ROOT,
        env=running.environment(),
        stderr=subprocess.PIPE,
    ) as watching:
        with pytest.raises(subprocess.TimeoutExpired):
            watching.wait(2)
        watching.terminate()


def test_the_commands_are_there() -> None:
    assert len(COMMANDS) >= 8
    assert {words(one) for one in COMMANDS} >= ENDLESS


def test_the_targets_of_the_readme_call_what_the_tests_call() -> None:
    for target, command in {"run": "wirewatch run --sample", "test": "python -m pytest"}.items():
        done = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", target],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert command in done.stdout
