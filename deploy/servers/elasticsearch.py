"""Elasticsearch as one node, on the loopback address."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any

from deploy.servers.ports import HOST, free_port
from deploy.servers.server import Server

_ANSWER_SECONDS = 10.0
_LOG = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


class ElasticsearchServer(Server):
    """See ``Server``. From jars it has no percolator, scripts, ILM, data streams or security."""

    name = "elasticsearch"
    version = "9.5.3"
    title = f"Elasticsearch {version}"
    port_option = "--elasticsearch-port"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the settings of its log; the rest is given on the command line."""
        (self.folder / "config").mkdir(exist_ok=True)
        (self.folder / "config" / "log4j2.properties").write_text(_LOG, "ascii")

    def options(self) -> Sequence[str]:
        """What it needs of Java 25, and its home."""
        return (
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Dlog4j.shutdownHookEnabled=false",  # the node's own hook still logs
            f"-Des.path.home={self.folder}",
        )

    def command(self) -> Sequence[str]:
        """Our launcher with the node's settings."""
        settings = {
            "cluster.name": "wirewatch",
            "node.name": "local",
            "network.host": HOST,
            "http.port": self.port,
            "transport.port": free_port(),
            "discovery.type": "single-node",
            # Off: on a laptop's disk that is 95 % full it would refuse every write.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        chosen = (f"{name}={value}" for name, value in settings.items())
        return ("org.elasticsearch.node.LocalNode", *chosen)

    def answers(self) -> bool:
        """Whether it is the version we started and all that can be recovered is."""
        found = self._get("/")
        if found.get("version", {}).get("number") != self.version:
            return False
        health = self._get("/_cluster/health?wait_for_status=yellow&timeout=5s")
        return health.get("timed_out") is False

    def _get(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        finally:
            connection.close()
        return found if answer.status == http.client.OK and isinstance(found, dict) else {}
