"""A Kafka and an Elasticsearch of one's own: two servers, one folder, one owner."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.folder import DataFolder
from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.extra import need_extra
from deploy.servers.jars import JarFolder, Progress
from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.servers.memory import need_memory
from deploy.servers.server import HEAP_MIB, Server

SETTINGS = """[log]
backend = "kafka"
bootstrap = "{kafka}"

[index]
backend = "elasticsearch"
url = "{elasticsearch}"
"""
"""What a settings file says to use both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports to listen on; 0 takes a free one."""

    kafka: int = 0
    elasticsearch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Both servers, answering."""

    kafka: KafkaServer
    elasticsearch: ElasticsearchServer

    @classmethod
    @contextmanager
    def running(
        cls, folder: Path, files: ServerFiles, *, ports: Ports | None = None
    ) -> Iterator[Self]:
        """Both, started on the data below ``folder`` and stopped at the end of the block.

        Raises:
            UsageError: a port or the folder is in use.
            UnavailableError: a server cannot be had or started; says why and what to do.
        """
        chosen = ports or Ports()
        data = DataFolder(folder)
        kafka = KafkaServer(data.path / "kafka", files, port=chosen.kafka)
        elasticsearch = ElasticsearchServer(
            data.path / "elasticsearch", files, port=chosen.elasticsearch
        )
        found = cls(kafka=kafka, elasticsearch=elasticsearch)
        need_memory("both servers", len(found.servers) * HEAP_MIB << 20)
        with data.lock(), ExitStack() as stack:
            for server in found.servers:
                stack.callback(server.stop)
                server.launch()
            for server in found.servers:  # they start side by side
                server.wait_until_ready()
            yield found

    @property
    def servers(self) -> tuple[Server, ...]:
        """Both."""
        return (self.kafka, self.elasticsearch)

    def check(self) -> None:
        """Nothing, while both run. Raises UnavailableError where one has ended."""
        for server in self.servers:
            server.check()


def load_servers(
    folder: Path | None = None, *, progress: Progress = lambda *_: None
) -> ServerFiles:
    """All files of both servers, in ``folder`` or the user's cache folder.

    Raises:
        UnavailableError: the extra is missing, or a file cannot be had.
    """
    need_extra()  # for Java, also where all files are there
    files = ServerFiles(jars=JarFolder(path=(folder or default_servers_folder()).absolute()))
    for server in (KafkaServer, ElasticsearchServer):
        files.class_path(server.name, progress)
    return files


def default_servers_folder() -> Path:
    """The user's cache folder for the servers' jars (XDG base directories; macOS)."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Wirewatch" / "servers"
    given = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return base / "wirewatch" / "servers"
