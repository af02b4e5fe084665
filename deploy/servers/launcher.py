"""Our own Java classes, compiled once for each version of their sources and jars."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.servers.extra import java
from deploy.servers.jars import JarFolder, Progress
from ingest.errors import UnavailableError

SOURCES = Path(__file__).with_name("launcher")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFiles:
    """The jars and compiled classes in one folder, which servers of all data folders share."""

    jars: JarFolder

    def class_path(self, server: str, progress: Progress = lambda *_: None) -> str:
        """What ``java -cp`` needs to run ``server`` below ``Watched``.

        Raises:
            UnavailableError: the extra is missing, or a jar cannot be had.
        """
        jars = self.jars.class_path(server, progress)
        folders = [self._classes("watch", ())]
        if (SOURCES / server).is_dir():
            folders.append(self._classes(server, jars))
        return os.pathsep.join(map(str, [*folders, *jars]))

    def _classes(self, name: str, jars: Sequence[Path]) -> Path:
        sources = sorted((SOURCES / name).rglob("*.java"))
        text = b"\0".join([*(s.read_bytes() for s in sources), *(j.name.encode() for j in jars)])
        folder = self.jars.path / f"{name}-{hashlib.sha256(text).hexdigest()[:12]}"
        if folder.is_dir():
            return folder
        with tempfile.TemporaryDirectory(prefix=".compiling-", dir=self.jars.path) as scratch:
            made = Path(scratch) / "classes"
            self._compile(sources, jars, made)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was first
                    raise
        return folder

    def _compile(self, sources: Sequence[Path], jars: Sequence[Path], target: Path) -> None:
        compiler = self.jars.class_path("compiler")
        options = ["-21", "-nowarn", "-proc:none", "-d", str(target)]
        if jars:
            options += ["-cp", os.pathsep.join(map(str, jars))]
        ran = subprocess.run(  # noqa: S603 - our own compiler and sources
            [
                *(str(java()), "-cp", os.pathsep.join(map(str, compiler))),
                "org.eclipse.jdt.internal.compiler.batch.Main",
                *options,
                *map(str, sources),
            ],
            env={"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise UnavailableError(
                f"the launcher does not compile: {ran.stdout}{ran.stderr}",
                hint="This is a fault of Wirewatch: please report it.",
                code="servers-launcher",
                retry=False,
            )
