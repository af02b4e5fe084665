"""Backups and what becomes of them: taken at rest and under load, restored, refused, cut short."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.backup import back_up, last_backup
from deploy.folder import DataFolder
from deploy.keeping import backed_up, backed_up_at_rest, refuse_many_machines
from deploy.restore import finish_restoring, put_in_place, unpack
from deploy.restoring import restored
from deploy.settings import load
from ingest.errors import FileError, NewerSchemaError, UnavailableError, UsageError
from ingest.log import NewRecord
from ingest.wire import encode
from processors.query import parse
from search.alert_state import Alert
from search.views import all_alerts
from tests.made_up_news import sighting
from tests.newsroom import until
from tests.running import COMMAND, ROOT, Place
from tests.shell import carry, opened

SETTINGS = load(overrides=()).settings


def truce(number: int) -> str:
    return f"Talks number {number} on a truce went on in the harbour town {number * 7919}."


async def restore(folder: Path, file: Path, *, replacing: bool = False) -> dict[str, object]:
    rows = [row async for row in restored(SETTINGS, DataFolder(folder), file, replacing=replacing)]
    return rows[-1]


def saved(folder: Path, file: Path, *, secrets: bool = False) -> dict[str, object]:
    rows = backed_up_at_rest(DataFolder(folder), file, secrets=secrets, wait_seconds=0)
    return list(rows)[-1]


async def test_a_backup_under_load_restores_to_articles_indexed_once_and_alerts_go_on(
    tmp_path: Path,
) -> None:
    file = tmp_path / "b.zip"
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(
            name="each", query="truce", to=[f"file:{tmp_path}/out"], every_article=True
        )
        stop = asyncio.Event()
        running = asyncio.create_task(shell.run(stop))

        saved_it = asyncio.Event()

        async def publish() -> int:
            number = 0
            while not saved_it.is_set() or number % 20:  # some 20 a second, and some after it
                one = replace(sighting(f"a-{number}", truce(number)), fetched=datetime.now(UTC))
                record = NewRecord(topic="articles", key=one.article.id, value=encode(one))
                await asyncio.to_thread(shell.log.append, [record])
                await asyncio.sleep(0.04)
                number += 1
            return number

        publishing = asyncio.create_task(publish())
        await until(lambda: len(list(shell.log.table("stories").items())) >= 5)
        rows = await asyncio.to_thread(
            lambda: list(backed_up(shell.log, shell.folder, file, secrets=False))
        )
        assert rows[-1]["done"] == rows[-1]["total"] > 0
        saved_it.set()
        published = await publishing
        stop.set()
        await running
    await restore(tmp_path / "again" / "data", file)
    async with opened(tmp_path / "again") as shell:
        before = {one.alert_id for one in all_alerts(shell.log)}
        known = {record.key for record in shell.log.table("stories").items()}
        assert 5 <= len(known) <= published
        more = sighting("article-new", truce(1000))
        await carry(shell, (more,))
        stories = {record.key for record in shell.log.table("stories").items()}
        assert known < stories
        assert shell.index.count(parse("truce")) == len(stories)
        after: dict[str, Alert] = {one.alert_id: one for one in all_alerts(shell.log)}
        assert before < after.keys()
        assert sorted(one.article_id for one in after.values()) == sorted(stories)


async def test_secrets_are_left_out_unless_asked_for_and_said_to_be_missing(
    tmp_path: Path,
) -> None:
    canary = "s3cr3t0canary0token0of0the0receiver"
    async with opened(tmp_path) as shell:
        shell.subscriptions.add(
            name="hook", query="truce", to=[f"https://hooks.example.org/{canary}"]
        )
    bare, whole = tmp_path / "bare.zip", tmp_path / "whole.zip"
    assert saved(tmp_path / "data", bare)["lacks"] == ["subscription hook"]
    assert saved(tmp_path / "data", whole, secrets=True)["lacks"] == []
    for file, has in ((bare, False), (whole, True)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with zipfile.ZipFile(file) as archive:
            found = any(canary.encode() in archive.read(name) for name in archive.namelist())
        assert found is has
    assert (await restore(tmp_path / "a" / "data", bare))["lacks"] == ["subscription hook"]
    assert (await restore(tmp_path / "b" / "data", whole))["lacks"] == []
    kept = tmp_path / "b" / "data" / "secrets" / "secrets.json"
    assert canary in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_a_folder_with_data_is_kept_unless_asked_and_then_set_aside(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        await carry(shell)
    file = tmp_path / "b.zip"
    saved(tmp_path / "data", file)
    async with opened(tmp_path) as shell:
        await carry(shell, (sighting("article-4", "A later truce."),))
    with pytest.raises(UsageError, match="holds data"):
        await restore(tmp_path / "data", file)
    row = await restore(tmp_path / "data", file, replacing=True)
    assert (Path(str(row["aside"])) / "log.sqlite").exists()
    async with opened(tmp_path) as shell:
        assert len(list(shell.log.table("stories").items())) == 3
        assert last_backup(shell.folder) is not None


async def test_erasures_of_the_folder_outlive_an_older_backup(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        await carry(shell)
    file = tmp_path / "b.zip"
    saved(tmp_path / "data", file)
    async with opened(tmp_path) as shell:
        await shell.erase("article-1", "court order", "admin")
    await restore(tmp_path / "data", file, replacing=True)
    async with opened(tmp_path) as shell:
        (trace,) = list(shell.erasing.known())
        assert (trace.article_id, trace.reason) == ("article-1", "court order")
        assert shell.erasing.known().is_finished(trace)
        assert shell.index.count(parse("truce")) == 0
        assert shell.log.table("stories").get("article-1") is None


def test_what_is_no_backup_or_a_damaged_or_newer_one_touches_nothing(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new")
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    with closing(sqlite3.connect(DataFolder(tmp_path / "old").log)) as log:
        log.execute("create table t(x)")
    list(back_up(DataFolder(tmp_path / "old"), good, secrets=False))
    data = bytearray(good.read_bytes())
    for made in (b"<rss/>", bytes(data[: len(data) // 2]), _flipped(data)):
        bad.write_bytes(made)
        with pytest.raises(FileError, match="bad"):
            unpack(folder, bad, replacing=False)
        assert list(folder.path.iterdir()) == []
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(parts.pop("manifest.json"))
    for change in ({"format": 99}, {"log_version": 99}):
        with zipfile.ZipFile(bad, "w") as archive:
            archive.writestr("manifest.json", json.dumps({**manifest, **change, "made_by": "9.9"}))
        with pytest.raises(NewerSchemaError) as newer:
            unpack(folder, bad, replacing=False)
        assert "made by version 9.9" in newer.value.sentence
    with pytest.raises(FileError):
        unpack(folder, tmp_path / "none.zip", replacing=False)


def _flipped(data: bytearray) -> bytes:
    """The log's bytes changed, the archive's directory whole."""
    made = bytearray(data)
    made[200] ^= 0xFF
    return bytes(made)


def archive_of(file: Path, name: str, content: bytes, *, promised: int) -> None:
    """A zip with a log and one more file, whose checksums are right."""
    parts = {"log.sqlite": b"x", name: content}
    manifest = {
        "format": 1,
        "made_by": "1",
        "log_version": 1,
        "at": "2026-11-23T00:00:00Z",
        "secrets": False,
        "parts": {
            one: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for one, data in parts.items()
        },
    }
    manifest["parts"][name]["bytes"] = promised  # type: ignore[index] # made above
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, data in parts.items():
            archive.writestr(one, data)
        archive.writestr("manifest.json", json.dumps(manifest))


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "/evil",
        "lock",
        "index/1/meta.json",
        "secrets/../../evil",
        "secrets/..",
        "quarantine/a/b",
        "restoring-x/log.sqlite",
    ],
)
def test_a_file_that_no_backup_has_is_refused(name: str, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    archive_of(tmp_path / "bad.zip", name, b"x", promised=1)
    with pytest.raises(FileError):
        unpack(folder, tmp_path / "bad.zip", replacing=False)
    assert not [one for one in tmp_path.rglob("*") if one.is_file() and one.name != "bad.zip"]


def test_no_more_is_unpacked_than_is_promised(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    archive_of(tmp_path / "good.zip", "quarantine/one.zst", b"0" * 9_000_000, promised=9_000_000)
    assert unpack(folder, tmp_path / "good.zip", replacing=False).manifest.parts
    archive_of(tmp_path / "bomb.zip", "quarantine/one.zst", b"0" * 9_000_000, promised=10)
    with pytest.raises(FileError):
        unpack(folder, tmp_path / "bomb.zip", replacing=False)


async def test_a_restore_that_was_decided_on_is_ended_by_the_next_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as shell:
        await carry(shell)
    file = tmp_path / "b.zip"
    saved(tmp_path / "data", file)
    folder = DataFolder(tmp_path / "data")
    unpack(folder, file, replacing=True)
    draft = folder.path / "restoring.part"
    decided = draft.rename(folder.path / "restoring-20261123T000000Z")
    (decided / "quarantine").mkdir(exist_ok=True)
    folder.log.rename(tmp_path / "lost")  # killed after this one was set aside
    assert finish_restoring(folder) is not None or folder.log.exists()
    assert not list(folder.path.glob("restoring*"))
    async with opened(tmp_path) as shell:
        assert len(list(shell.log.table("stories").items())) == 3
    with pytest.raises(FileNotFoundError):
        put_in_place(folder)


def test_a_backup_that_was_killed_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    place.call("feeds", "list")
    file = tmp_path / "b.zip"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(place.data), str(file)], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert not file.exists()
    assert file.with_name("b.zip.part").exists()
    place.call("backup", str(file))
    assert zipfile.is_zipfile(file)
    assert sorted(one.name for one in tmp_path.glob("b.zip*")) == ["b.zip"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from deploy.backup import back_up
from deploy.folder import DataFolder
for done, total in back_up(DataFolder(Path(sys.argv[1])), Path(sys.argv[2]), secrets=False):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_full_disk_is_a_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    place.call("feeds", "list")
    done = subprocess.run(
        [sys.executable, "-c", _FULL, *place.arguments("backup", str(tmp_path / "b.zip"))],
        cwd=ROOT,
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Disk full: the backup" in done.stderr
    assert list(tmp_path.glob("b.zip*")) == []


_FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import deploy.backup, deploy.keeping
copy = deploy.backup._copy_log
def limited(*given):
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    copy(*given)
deploy.backup._copy_log = limited
from deploy.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_running_process_writes_the_backup_for_the_command(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    place.call("feeds", "list")
    running = subprocess.Popen(
        [sys.executable, *COMMAND, *place.arguments("run", "--no-web")],
        cwd=ROOT,
        env=place.environment(),
        stderr=subprocess.DEVNULL,
    )
    try:
        file = tmp_path / "b.zip"
        done = place.call("backup", str(file), "--json")
        last = json.loads(done.stdout.splitlines()[-1])
        assert last["bytes"] == file.stat().st_size
        refused = place.call("restore", str(file), check=False)
        assert refused.returncode == 2
        assert "Already running" in refused.stderr
    finally:
        running.terminate()
        assert running.wait(30) == 0
    elsewhere = Place(folder=tmp_path, data_name="elsewhere")
    assert "Restored as of" in elsewhere.call("restore", str(file)).stdout


def test_where_it_cannot_be_written_or_there_is_nothing_it_says_so(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with pytest.raises(UsageError, match="holds no log"):
        saved(folder.path, tmp_path / "b.zip")
    folder.log.touch()
    with pytest.raises(UsageError, match="cannot write"):
        list(back_up(folder, tmp_path / "none" / "b.zip", secrets=False))
    many = load(overrides=("log.backend=kafka", "index.backend=elasticsearch")).settings
    with pytest.raises(UsageError, match="kafka"):
        refuse_many_machines(many)
    if os.getuid():
        with pytest.raises((UsageError, UnavailableError)):
            list(back_up(folder, Path("/b.zip"), secrets=False))
