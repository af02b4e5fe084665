"""The data folder: where everything lies, and the one process that owns it.

The lock is the kernel's (``flock``): it ends with the process however that ends, so a file left
behind by ``kill -9`` is no obstacle. Children that are to outlive their parent must not inherit
it: Python opens files close-on-exec, so a fork without exec is the only way to do so.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import UnavailableError, UsageError

if sys.platform != "win32":  # imported there all the same, to say the sentence about WSL
    import fcntl

_SOCKET_BYTES = 100
"""Socket paths end at 104 bytes on macOS and 108 on Linux."""

_GLANCE_SECONDS = 0.25
"""``owner`` holds a shared lock for an instant: who wants the lock looks again for this long."""

_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that owns a data folder, and the socket it listens on."""

    pid: int
    socket: Path


class DataFolder:
    """The folder at ``path``, made for this user alone (0700) where it is missing.

    Raises:
        UsageError: it cannot be made, or is no folder.
    """

    def __init__(self, path: Path) -> None:
        _refuse_windows()
        self.path = path.expanduser().resolve()
        if not self.path.is_dir():  # the rights of one that is there are its owner's choice
            _make_private(self.path)

    @property
    def log(self) -> Path:
        """The file of the log."""
        return self.path / "log.sqlite"

    @property
    def index(self) -> Path:
        """The folder of the index."""
        return self.path / "index"

    @property
    def quarantine(self) -> Path:
        """The folder of whole quarantined bodies."""
        return self.path / "quarantine"

    @property
    def secrets(self) -> Path:
        """The folder of secrets, made 0700."""
        folder = self.path / "secrets"
        _make_private(folder)
        return folder

    @contextmanager
    def lock(self, timeout_seconds: float = 0.0) -> Iterator[Owner]:
        """Own the folder for the length of the block; wait at most ``timeout_seconds`` for it.

        Raises:
            UsageError: another process owns it.
        """
        path = self.socket_path()
        file = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _try_until(file, time.monotonic() + max(timeout_seconds, _GLANCE_SECONDS)):
                raise self._taken()
            mine = Owner(pid=os.getpid(), socket=path)
            note = json.dumps({"pid": mine.pid, "socket": str(path)}).encode()
            os.ftruncate(file, 0)
            os.pwrite(file, note, 0)
            yield mine
        finally:
            os.close(file)

    def owner(self) -> Owner | None:
        """Who owns the folder now; None where nobody does, pid 0 where its note is torn."""
        try:
            file = os.open(self._lock_file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            for _ in range(10):
                if _try(file, fcntl.LOCK_SH):
                    return None
                if (found := _noted(file)) is not None:
                    return found
                time.sleep(_PAUSE_SECONDS)  # it has the lock and is about to write its note
        finally:
            os.close(file)
        return Owner(pid=0, socket=self.socket_path())

    def answering_owner(self, wait_seconds: float) -> Owner | None:
        """The owner that answers on its socket; None where nobody owns the folder.

        Waits for one that is just starting, and for another short command to end.

        Raises:
            UnavailableError: somebody owns it and does not answer.
        """
        deadline = time.monotonic() + wait_seconds
        while (owner := self.owner()) is not None:
            if _answers(owner.socket):
                return owner
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"process {owner.pid} owns {self.path} and does not answer",
                    sentence=f"Another command (pid {owner.pid}) works on {self.path}.",
                    hint="Wait for it to end, or stop it; nothing is lost.",
                    code="busy",
                )
            time.sleep(_PAUSE_SECONDS)
        return None

    def socket_path(self) -> Path:
        """Where the owner listens: a short name in the user's runtime folder."""
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16] + ".sock"
        return _runtime_folder(len(name) + 1) / name

    def private_socket_path(self) -> Path:
        """Where a short command answers to itself alone."""
        return self.socket_path().with_suffix(f".{os.getpid()}")

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    def _taken(self) -> UsageError:
        owner = self.owner()
        pid = f" (pid {owner.pid})" if owner and owner.pid else ""
        return UsageError(
            f"{self.path} is locked by {owner}",
            sentence=f"Already running{pid} on this data folder: {self.path}.",
            hint="Use the running one, stop it first, or name another folder with --data.",
            code="already-running",
        )


def default_data_folder() -> Path:
    """The user's data folder for Wirewatch on this platform. Raises UsageError on Windows."""
    _refuse_windows()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Wirewatch"
    given = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "share"
    return base / "wirewatch"


def _refuse_windows() -> None:
    if sys.platform == "win32":
        raise UsageError(
            "Windows",
            sentence="Wirewatch does not run on Windows itself.",
            hint="Run it in WSL: https://learn.microsoft.com/windows/wsl/install",
            code="platform",
        )


def _runtime_folder(room: int) -> Path:
    """The user's private folder for sockets, in which ``room`` more bytes still fit."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(given) / "wirewatch"
    usable = Path(given).is_absolute() and os.access(given, os.W_OK)
    if not usable or len(os.fsencode(folder)) + room >= _SOCKET_BYTES:
        # Not $TMPDIR: on macOS that alone is too long for a socket.
        folder = Path("/tmp") / f"wirewatch-{os.getuid()}"  # noqa: S108  private, and checked
    _make_private(folder)
    return folder


def _make_private(folder: Path) -> None:
    """Make ``folder`` for this user alone; refuse one that is somebody else's."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
        if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid():
            if facts.st_mode & 0o077:
                folder.chmod(0o700)
            return
    except OSError as error:
        raise UsageError(
            f"cannot make {folder}: {error}",
            sentence=f"The folder {folder} cannot be made: {error.strerror}.",
            hint="Name another one with --data, or correct the rights of the one above it.",
            place=str(folder),
        ) from error
    raise UsageError(
        f"{folder} is not a folder of user {os.getuid()}",
        sentence=f"{folder} is not a folder of yours.",
        hint="Remove it, or name another one with --data.",
        place=str(folder),
    )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _try_until(file: int, deadline: float) -> bool:
    while not _try(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _try(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _noted(file: int) -> Owner | None:
    try:
        note = json.loads(os.pread(file, 4096, 0))
        return Owner(pid=int(note["pid"]), socket=Path(note["socket"]))
    except (ValueError, KeyError, TypeError):
        return None
