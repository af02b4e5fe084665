"""The servers' jars: loaded once from a Maven repository, checked, kept for good.

Which jars, in which version, with which SHA-256 stands in ``jars.lock``. A jar gets its name in
the folder only after its sum was checked, so an interrupted load leaves nothing half there and a
later one goes on where it ended.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.servers.extra import need_extra
from ingest.errors import UnavailableError

LOCK = Path(__file__).with_name("jars.lock")

AT_ONCE = 4
"""Loads at a time: a third of the time of one by one; more bring little and are impolite."""

SILENCE_SECONDS = 30
"""A repository that sends nothing for so long does not answer."""

PAUSES_SECONDS = (0.5, 2.0)
"""Between the tries to load one file: among a hundred loads one breaks now and then."""

Progress = Callable[[str, int, int], None]
"""Called with the server's name, the jars that are there and the jars that are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One line of the lock."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the folder; no two of the lock share one."""
        return f"{self.name}-{self.version}.jar"


@dataclass(frozen=True, slots=True, kw_only=True)
class JarFolder:
    """Where the jars lie, and where missing ones come from.

    Attributes:
        repositories: Maven repositories by name; None: those of the user's jgo configuration
            (``~/.config/jgo.conf``), then Maven Central.
    """

    path: Path
    repositories: Mapping[str, str] | None = None

    def class_path(self, server: str, progress: Progress = lambda *_: None) -> list[Path]:
        """The jars of ``server``, loaded where they are missing.

        Raises:
            UnavailableError: one cannot be loaded, or is not the one of the lock.
        """
        jars, missing = locked_jars(server), self.missing(server)
        if missing:
            self._load(missing, lambda done: progress(server, len(jars) - done, len(jars)))
        return [self.path / jar.file_name for jar in jars]

    def missing(self, server: str) -> list[Jar]:
        """The jars of ``server`` that are still to be loaded."""
        return [jar for jar in locked_jars(server) if not (self.path / jar.file_name).is_file()]

    def _load(self, missing: Sequence[Jar], report: Callable[[int], None]) -> None:
        left = len(missing)
        report(left)
        with self._repository() as repository, ThreadPoolExecutor(AT_ONCE) as pool:
            loads = [pool.submit(self._take, repository, jar) for jar in missing]
            try:
                for load in as_completed(loads):
                    load.result()
                    left -= 1
                    report(left)
            finally:
                pool.shutdown(cancel_futures=True)

    @contextmanager
    def _repository(self) -> Iterator[Any]:
        """The Maven repositories with a scratch folder on the same disk as the jars."""
        need_extra()
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext

        named = self.repositories
        if named is None:
            named = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            scratch = tempfile.TemporaryDirectory(prefix=".loading-", dir=self.path)
        except OSError as error:
            raise UnavailableError(
                f"cannot write to {self.path}: {error}",
                sentence=f"The folder {self.path} cannot be written to: {error.strerror}.",
                hint="Name another one with --servers.",
                code="servers-folder",
            ) from error
        with scratch as folder:
            yield MavenContext(
                repo_cache=Path(folder), remote_repos=dict(named), timeout=SILENCE_SECONDS
            )

    def _take(self, repository: Any, jar: Jar) -> None:
        artifact = repository.project(jar.group, jar.name).at_version(jar.version).artifact()
        try:
            loaded = _downloaded(artifact)
            found = hashlib.sha256(loaded.read_bytes()).hexdigest()
            if found == jar.sha256:
                loaded.replace(self.path / jar.file_name)
                return
        except (OSError, RuntimeError) as error:  # of requests; jgo's own where nobody has it
            raise UnavailableError(
                f"cannot load {jar}: {error}",
                sentence=f"{jar.file_name} could not be loaded: {_reason(error)}.",
                hint=(
                    "Check the network and try again: what was loaded is kept. A mirror of Maven "
                    "Central can be named in ~/.config/jgo.conf, section [repositories]."
                ),
                code="servers-not-loaded",
            ) from error
        raise UnavailableError(
            f"{jar} has SHA-256 {found}",
            sentence=f"{jar.file_name} is not the file it should be (its SHA-256 differs).",
            hint="It was thrown away. Try again; if it stays so, do not trust the mirror or proxy.",
            code="servers-not-trusted",
            retry=False,
        )


def _downloaded(artifact: Any) -> Path:
    """The file of ``artifact``; a connection that breaks is tried again."""
    for pause_seconds in PAUSES_SECONDS:
        try:
            return Path(artifact.resolve())
        except OSError:
            # jgo takes what lies there for whole.
            Path(artifact.cached_path).unlink(missing_ok=True)
            time.sleep(pause_seconds)
    return Path(artifact.resolve())


def _reason(error: Exception) -> str:
    """One line of it; jgo's own errors are only about a file that no repository has."""
    if isinstance(error, OSError):
        return str(error.strerror or error).splitlines()[0]
    return "no repository has it"


def locked_jars(server: str) -> list[Jar]:
    """The jars of ``server`` as the lock names them."""
    return list(_lines(server))


def _lines(server: str) -> Iterator[Jar]:
    for line in LOCK.read_text("ascii").splitlines():
        owner, coordinates, digest = line.split()
        if owner == server:
            group, name, version = coordinates.split(":")
            yield Jar(group=group, name=name, version=version, sha256=digest)
