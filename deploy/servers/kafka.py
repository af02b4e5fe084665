"""Apache Kafka as broker and controller in one process, on the loopback address."""

from __future__ import annotations

import base64
import socket
import struct
import uuid
from collections.abc import Sequence
from pathlib import Path
from string import Template

from deploy.servers.launcher import ServerFiles
from deploy.servers.ports import HOST, free_port
from deploy.servers.server import Server

_HERE = Path(__file__).parent
_ANSWER_SECONDS = 1.0
_PROBE = b"wirewatch"
_METADATA = struct.pack(">hhih", 3, 5, 1, len(_PROBE)) + _PROBE + b"\0" * 5
"""Metadata, version 5 (kafka.apache.org/protocol): header, no topic, none to make."""


class KafkaServer(Server):
    """See ``Server``. ``address`` is what clients call bootstrap server."""

    name = "kafka"
    version = "4.4.0"
    title = f"Kafka {version}"
    port_option = "--kafka-port"

    def __init__(
        self, folder: Path, files: ServerFiles, *, port: int = 0, quick: bool = False
    ) -> None:
        super().__init__(folder, files, port=port, quick=quick)
        self._controller_port = free_port()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the settings; format the folder where it is new."""
        template = Template((_HERE / "kafka.properties").read_text("ascii"))
        text = template.substitute(host=HOST, port=self.port, controller_port=self._controller_port)
        (self.folder / "server.properties").write_text(text, "ascii")
        log4j = (_HERE / "kafka-log4j2.properties").read_text("ascii")
        (self.folder / "log4j2.properties").write_text(log4j, "ascii")
        if not (self.folder / "data" / "meta.properties").exists():
            identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # A leading dash would be read as an option.
            chosen = ("-t", "w" + identity[1:], "-c", "server.properties")
            self.run_tool("kafka.tools.StorageTool", "format", *chosen)

    def options(self) -> Sequence[str]:
        """Where its log goes: to standard output."""
        return ("-Dlog4j2.configurationFile=log4j2.properties",)

    def command(self) -> Sequence[str]:
        """Kafka's own main class. Names are relative: a path may hold what the file cannot."""
        return ("kafka.Kafka", "server.properties")

    def answers(self) -> bool:
        """Whether it tells of one broker; an open port alone is not ready."""
        try:
            with socket.create_connection((HOST, self.port), _ANSWER_SECONDS) as connection:
                connection.sendall(struct.pack(">i", len(_METADATA)) + _METADATA)
                with connection.makefile("rb") as answer:
                    # Length, correlation id, throttle time, number of brokers.
                    brokers: int = struct.unpack(">iiii", answer.read(16))[3]
                    return brokers > 0
        except (OSError, struct.error):
            return False
