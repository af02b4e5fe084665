"""Times that commands print: the reader's zone for people, UTC for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli.times import day, minute, when
from tests.running import COMMAND, ROOT, Place


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("2026-11-23T04:25:07.120Z", "2026-11-23 05:25:07 CET"),
        ("2026-07-01T22:30:00.000Z", "2026-07-02 00:30:00 CEST"),
        ("2026-10-25T00:30:00.000Z", "2026-10-25 02:30:00 CEST"),  # the hour that comes twice
        ("2026-10-25T01:30:00.000Z", "2026-10-25 02:30:00 CET"),
        ("", "-"),
        (None, "-"),
    ],
)
def test_a_time_is_shown_in_the_readers_zone_with_its_name(told: str | None, shown: str) -> None:
    assert when(told) == shown


@pytest.mark.usefixtures("berlin")
def test_minutes_and_days_are_the_readers_too() -> None:
    assert minute("2026-11-23T23:25:07.120Z") == "2026-11-24 00:25 CET"
    assert day("2026-11-23T23:25:07.120Z") == "2026-11-24"


def test_a_command_prints_local_time_and_utc_for_programs(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    environment = place.environment() | {"TZ": "Asia/Tokyo"}

    def said(*verb: str) -> str:
        return subprocess.run(
            [sys.executable, *COMMAND, *place.arguments(*verb)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    said("subscriptions", "add", "truce", "truce", "--to", "stdout:")
    created = json.loads(said("subscriptions", "show", "truce", "--json"))["created"]
    assert created.endswith("Z")
    shown = said("subscriptions", "show", "truce")
    assert " JST" in shown
    assert created[:19] not in shown
    assert os.environ.get("TZ") != "Asia/Tokyo"
