from __future__ import annotations

import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

from deploy import folder as module
from deploy.folder import DataFolder, default_data_folder
from ingest.errors import UsageError


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    path = tmp_path / "run"
    path.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_for_the_user_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    assert mode(folder.path) == 0o700
    assert mode(folder.secrets) == 0o700
    assert folder.log == folder.path / "log.sqlite"
    assert folder.index == folder.path / "index"
    assert folder.quarantine == folder.path / "quarantine"


def test_the_rights_of_a_folder_that_is_there_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    assert mode(DataFolder(tmp_path / "data").path) == 0o755


def test_a_file_in_the_folders_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(UsageError) as caught:
        DataFolder(tmp_path / "data")
    assert str(tmp_path / "data") in caught.value.sentence


def test_nobody_owns_a_folder_that_was_never_locked(tmp_path: Path) -> None:
    assert DataFolder(tmp_path / "data").owner() is None


def test_the_owner_is_known_while_it_holds_the_lock(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.lock() as mine:
        assert mine.pid == os.getpid()
        assert mine.socket == folder.socket_path()
        assert DataFolder(tmp_path / "data").owner() == mine
        assert mode(folder.path / "lock") == 0o600
    assert folder.owner() is None


def test_the_lock_cannot_be_had_twice(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "data").lock():
        with pytest.raises(UsageError) as caught, DataFolder(tmp_path / "data").lock():
            pytest.fail("had twice")
        assert caught.value.sentence.startswith(f"Already running (pid {os.getpid()}) on this")
        assert caught.value.code == "already-running"
    with DataFolder(tmp_path / "data").lock():
        pass


def test_who_waits_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    held = threading.Event()

    def hold() -> None:
        with folder.lock():
            held.set()
            time.sleep(0.5)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    with folder.lock(timeout_seconds=20):
        thread.join(5)
        assert not thread.is_alive()


def test_asking_who_owns_it_does_not_keep_anybody_from_locking(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            folder.owner()

    with folder.lock():
        pass
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(50):
            with folder.lock():
                pass
    finally:
        stop.set()
        thread.join()


def test_a_torn_note_does_not_hide_that_somebody_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.001)
    folder = DataFolder(tmp_path / "data")
    with folder.lock():
        (folder.path / "lock").write_text('{"pid": 1')
        with pytest.raises(UsageError) as caught, folder.lock():
            pytest.fail("had twice")
    assert caught.value.sentence.startswith("Already running on this data folder")
    assert folder.owner() is None


def test_the_socket_is_a_short_name_in_the_runtime_folder(tmp_path: Path, runtime: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    folder = DataFolder(deep)
    path = folder.socket_path()
    assert len(os.fsencode(path)) < 100
    assert mode(path.parent) == 0o700
    assert path != DataFolder(tmp_path / "other").socket_path()
    assert path == DataFolder(deep).socket_path()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    path.unlink()
    if len(os.fsencode(runtime)) < 60:
        assert path.parent == runtime / "wirewatch"


def test_without_a_usable_runtime_folder_the_socket_lies_in_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Path("/", "tmp", f"wirewatch-{os.getuid()}")
    for given in ("", "relative", str(tmp_path / "none"), str(tmp_path / ("x" * 90))):
        monkeypatch.setenv("XDG_RUNTIME_DIR", given)
        assert DataFolder(tmp_path / "data").socket_path().parent == expected
    assert mode(expected) == 0o700


def test_a_runtime_folder_that_is_a_link_is_refused(tmp_path: Path, runtime: Path) -> None:
    if len(os.fsencode(runtime)) > 60:
        runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    (tmp_path / "elsewhere").mkdir()
    (runtime / "wirewatch").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        module._make_private(runtime / "wirewatch")


def test_a_runtime_folder_that_others_can_enter_is_closed_to_them(runtime: Path) -> None:
    (runtime / "wirewatch").mkdir()
    (runtime / "wirewatch").chmod(0o777)
    module._make_private(runtime / "wirewatch")
    assert mode(runtime / "wirewatch") == 0o700


def test_the_default_folder_follows_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert default_data_folder() == Path("/srv/data/wirewatch")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_data_folder() == tmp_path / ".local" / "share" / "wirewatch"
    monkeypatch.setattr("sys.platform", "darwin")
    expected = tmp_path / "Library" / "Application Support" / "Wirewatch"
    assert default_data_folder() == expected


def test_windows_is_pointed_to_wsl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    for call in (default_data_folder, lambda: DataFolder(tmp_path)):
        with pytest.raises(UsageError) as caught:
            call()
        assert "WSL" in caught.value.hint
