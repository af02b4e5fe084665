"""One Java server as a child process: started, asked, stopped, and never left behind.

Its standard input is a pipe that only this process holds open, and our launcher ends the server
when the pipe closes. So it goes with us however we go, ``kill -9`` included.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from deploy.servers.extra import java
from deploy.servers.launcher import ServerFiles
from deploy.servers.memory import too_little
from deploy.servers.ports import free_port, need_port
from ingest.errors import UnavailableError

START_SECONDS = 120.0
"""A start takes three to ten; this is for a machine that is busy with something else."""

STOP_SECONDS = 30.0
"""A stop takes half a second; both servers' own limits are shorter."""

LOOK_SECONDS = 0.05
TAIL_LINES = 12
"""Shown of the log of a server that ended; causes are looked for in LOOK_LINES."""

LOOK_LINES = 200
HEAP_MIB = 512
"""With it Kafka and Elasticsearch hold 210 and 240 MB at rest, and twice that under load."""

_NO_MEMORY = ("insufficient memory", "Could not reserve", "Could not allocate", "OutOfMemory")


class Server(ABC):
    """A server that keeps its data, settings and log in one folder.

    With ``quick`` Java compiles lightly: a start takes two thirds of the time and half the CPU,
    work in bulk more. ``start`` after ``stop`` or ``kill`` goes on with the same data on the same
    port.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    title: ClassVar[str]
    port_option: ClassVar[str]

    def __init__(
        self, folder: Path, files: ServerFiles, *, port: int = 0, quick: bool = False
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._files = files
        self._quick = quick
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it printed since its last start."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """Its process; 0 where it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self, timeout_seconds: float = START_SECONDS) -> Self:
        """Start it and wait until it answers; see ``launch`` and ``wait_until_ready``."""
        self.launch()
        self.wait_until_ready(timeout_seconds)
        return self

    def launch(self) -> None:
        """Start the process, without waiting for an answer.

        Raises:
            UsageError: the port is in use.
            UnavailableError: its files cannot be had.
        """
        need_port(self.port, self.port_option)
        self.kill()  # one that ended by itself: its end of our pipe
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.folder / "server.log.1")
        self.prepare()
        self._process = self._spawn(*self.command())

    def wait_until_ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Return when it answers.

        Raises:
            UnavailableError: it ended or is silent; says why, and shows the end of its log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self.answers():
            if not self.pid:
                raise self._ended("at its start")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failed(f"did not answer within {timeout_seconds:.0f} seconds")
            time.sleep(LOOK_SECONDS)
        if not self.pid:  # somebody else answered on its port
            raise self._ended("at its start")

    def check(self) -> None:
        """Nothing, while it runs. Raises UnavailableError where it has ended."""
        if not self.pid:
            raise self._ended("while it ran")

    @abstractmethod
    def prepare(self) -> None:
        """Write its settings into the folder; the first time make the folder a store."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Its main class and arguments."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves now."""

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Ask it to end (SIGTERM) and wait; kill it where it does not."""
        if self._process is not None and self.pid:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_seconds)
        self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()

    def run_tool(self, *command: str) -> None:
        """Run another main class of its jars to the end. Raises UnavailableError if it fails."""
        process = self._process = self._spawn(*command)
        try:
            status = process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            self.kill()
        if status:
            raise self._ended("while its folder was made")

    def options(self) -> Sequence[str]:
        """Its own options of the Java machine."""
        return ()

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own Java and classes
                [
                    *(str(java()), f"-Xmx{HEAP_MIB}m", "-Djava.io.tmpdir=tmp", *self.options()),
                    *(("-XX:TieredStopAtLevel=1",) if self._quick else ()),
                    *("-cp", self._files.class_path(self.name), "Watched", *command),
                ],
                # Nothing of the user's environment: JAVA_TOOL_OPTIONS would change the server.
                # UTF-8, for names of folders that are not ASCII.
                env={"LC_ALL": "C.UTF-8"},
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us alone; we stop it in order
            )

    def _ended(self, when: str) -> UnavailableError:
        self.kill()  # it is gone; this closes our end of the pipe
        status = self._process.returncode if self._process else 0
        if status == -signal.SIGKILL:
            return too_little(self.title, f"it was killed (SIGKILL) {when}, as systems do then")
        if any(sign in line for line in self._tail(LOOK_LINES) for sign in _NO_MEMORY):
            return too_little(self.title, f"it ended {when}; its log is {self.log}")
        return self._failed(f"ended {when} (exit status {status})")

    def _failed(self, what: str) -> UnavailableError:
        # Without stack frames: what is said stands above them.
        said = [line for line in self._tail(LOOK_LINES) if not line.startswith("\tat ")]
        tail = said[-TAIL_LINES:]
        return UnavailableError(
            f"{self.title} {what}: {tail}",
            sentence=f"{self.title} {what}.",
            hint="\n".join([f"The end of its log, {self.log}:", *tail]),
            code="server-start",
        )

    def _tail(self, lines: int) -> list[str]:
        try:
            return self.log.read_text("utf-8", "replace").splitlines()[-lines:]
        except FileNotFoundError:
            return []
