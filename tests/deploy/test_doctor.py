"""The doctor: what it says of a healthy folder, and of each fault with its remedy."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy import doctor
from deploy.doctor import examine
from deploy.doctor_check import Check
from deploy.embedded import Embedded
from deploy.folder import DataFolder
from ingest.log import NewRecord, topic_specs
from ingest.sqlite_log import SqliteLog
from tests.shell import carry, opened


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with opened(tmp_path) as found:
        yield found


def checks(shell: Embedded) -> dict[str, Check]:
    return {check.name: check for check in examine(shell)}


async def test_a_healthy_folder_has_nothing_to_mend_but_an_empty_feed_list(
    shell: Embedded,
) -> None:
    found = checks(shell)
    assert {name for name, check in found.items() if check.state != "ok"} <= {"feeds", "disk"}
    assert found["feeds"].remedy == "Add some: wirewatch feeds add starter"
    assert found["clock"].sentence.startswith("It says ")
    assert "ceasefire-talks.en" in found["topics"].sentence


async def test_every_check_that_is_not_well_says_what_to_do(
    shell: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        total: int = 10**12
        used: int = 10**12 - 5
        free: int = 5

    monkeypatch.setenv("HTTPS_PROXY", "http://reader:opensesame@proxy.example:3128")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
    shell.log.append(
        [
            record
            for record in [
                shell.quarantine.put(
                    "tag", why="x", code="x", key="k", body=b"x", now=datetime.now(UTC)
                )
            ]
            if record
        ]
    )
    found = checks(shell)
    for name in ("network", "disk", "quarantine", "feeds"):
        assert found[name].state == "warn", name
        assert found[name].remedy, name
    assert "opensesame" not in str(found)


async def test_a_clock_behind_the_last_append_is_a_warning(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.lock():
        early = SqliteLog(folder.log, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
        early.ensure_topics(topic_specs())
        early.append([NewRecord(topic="feeds", key="k", value=None)])
        early.close()
    async with opened(tmp_path) as shell:
        check = checks(shell)["clock"]
    assert check.state == "warn"
    assert "behind the last append" in check.sentence
    assert "NTP" in check.remedy


async def test_a_check_that_breaks_is_a_failed_check(shell: Embedded) -> None:
    shell.log.close()
    check = checks(shell)["log"]
    assert (check.state, check.sentence) == ("fail", "the log is closed")


async def test_an_index_that_lies_far_behind_is_a_warning(
    shell: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    await carry(shell)
    assert checks(shell)["index"].state == "ok"
    monkeypatch.setattr(doctor, "FAR_BEHIND", 0)
    assert checks(shell)["index"].state == "warn"
