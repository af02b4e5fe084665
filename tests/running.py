"""The command ``wirewatch`` as a child process of a test: started, asked, killed by its pid."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.folder import DataFolder
from ingest.guard import Guard
from ingest.log import topic_specs
from ingest.settings import NetSettings
from ingest.sqlite_log import SqliteLog
from search.secrets import Secrets
from search.subscription_store import SubscriptionStore

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ("-c", "import sys; from deploy.cli import main; sys.exit(main())")
START_SECONDS = 60.0
"""A start takes two seconds; this is for a machine that is busy with something else."""

LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder of a test's own with all that a ``wirewatch`` process may touch."""

    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    data_name: str = "data"

    @property
    def data(self) -> Path:
        return self.folder / self.data_name

    @property
    def mark(self) -> str:
        """What stands in the command line of every process of this place."""
        return str(self.folder / "mark")

    def arguments(self, *verb: str) -> list[str]:
        """``verb`` after the global options."""
        given = [f"--set={name}={value}" for name, value in self.settings.items()]
        return ["--data", str(self.data), *given, *verb]

    def environment(self) -> dict[str, str]:
        """Ours, without settings of the machine's user."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WIREWATCH_")}
        # The sandboxes get their parent's module path as an argument: the mark shows there too.
        return kept | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.mark}",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_RUNTIME_DIR": str(self.folder),
        }

    def call(self, *verb: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A short command, to its end."""
        return subprocess.run(
            [sys.executable, *COMMAND, *self.arguments(*verb)],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=check,
        )

    def subscribe(self, name: str, query: str, *to: str) -> str:
        """A subscription, added at rest; the signing secret of its (last) webhook."""
        folder = DataFolder(self.data)
        log = SqliteLog(folder.log)
        try:
            log.ensure_topics(topic_specs())
            allow = tuple(str(self.settings.get("net.allow", "")).split(","))
            store = SubscriptionStore(
                log, secrets=Secrets(folder.secrets), guard=Guard(NetSettings(allow=allow))
            )
            return store.endpoints(store.add(name=name, query=query, to=to))[-1]["secret"]
        finally:
            log.close()

    def processes(self) -> set[int]:
        """Every process that belongs here: commands and their sandboxes, orphans too."""
        wanted = self.mark.encode()
        return {pid for pid in _pids() if wanted in _cmdline(pid)}


class Running:
    """One process at ``place``; its standard output and error are in files there."""

    def __init__(
        self, place: Place, *verb: str, command: Sequence[str] = COMMAND, number: int | str = 0
    ) -> None:
        self.place = place
        self.errors = place.folder / f"stderr-{number}.log"
        self.output = place.folder / f"stdout-{number}.log"
        with self.errors.open("wb") as errors, self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command, *place.arguments(*verb)],
                cwd=ROOT,
                env=place.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    async def ready(self) -> None:
        """Wait until it answers. Raises RuntimeError with its last words where it ended."""
        async with asyncio.timeout(START_SECONDS):
            while not await self.answers():
                if self.process.poll() is not None:
                    raise RuntimeError(f"ended with {self.process.returncode}: {self.said()}")
                await asyncio.sleep(LOOK_SECONDS)

    async def ask(self, path: str, **params: str) -> httpx.Response:
        """The answer of its API, over its Unix socket."""
        transport = httpx.AsyncHTTPTransport(uds=self._socket())
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            return await client.get(path, params=params, timeout=START_SECONDS)

    async def found(self, query: str) -> int:
        """How many articles a search finds."""
        answer = await self.ask("/api/search", q=query, size="1")
        answer.raise_for_status()
        return int(answer.json()["end"]["total"]["value"])

    def kill(self) -> None:
        """kill -9, and wait for it to be gone."""
        self.process.kill()
        self.process.wait()

    async def ended(self, *, seconds: float) -> int:
        """Its exit status. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while (status := self.process.poll()) is None:  # noqa: ASYNC110 - a process, no event
                await asyncio.sleep(LOOK_SECONDS)
        return status

    async def terminate(self, *, seconds: float = 15.0) -> int:
        """SIGTERM; its exit status. Raises TimeoutError."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(seconds=seconds)

    def said(self) -> str:
        """What it wrote to standard error, at most the last 4 kB."""
        return self.errors.read_text("utf-8", "replace")[-4_000:]

    def resident_bytes(self) -> int:
        """Memory of the process and all below it, shared pages counted once (PSS)."""
        return sum(_proportional_bytes(pid) for pid in self.place.processes())

    def _socket(self) -> str:
        note: dict[str, Any] = json.loads((self.place.data / "lock").read_text())
        if note["pid"] != self.pid:
            raise ValueError("the note is of another process")
        return str(note["socket"])

    async def answers(self) -> bool:
        """Whether it answers now."""
        try:
            return (await self.ask("/healthz")).is_success
        except (OSError, ValueError, KeyError, httpx.TransportError):
            return False


def _pids() -> list[int]:
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal()]


def _cmdline(pid: int) -> bytes:
    """Arguments and environment of a process; nothing where it is gone or somebody else's."""
    found = b""
    for name in ("cmdline", "environ"):
        try:
            found += Path(f"/proc/{pid}/{name}").read_bytes()
        except OSError:
            continue
    return found


def _proportional_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in text.splitlines())
    return sum(int(line[1]) * 1024 for line in lines if line[0] == "Pss:")
