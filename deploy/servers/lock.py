"""Writes ``jars.lock`` anew: ``python -m deploy.servers.lock`` after a change of a version.

Resolved once, here, and not by whoever starts a server: a start then loads these very files and
asks no repository what a version range means today.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.jars import LOCK
from deploy.servers.kafka import KafkaServer

KAFKA = KafkaServer.version
ELASTICSEARCH = ElasticsearchServer.version
LOG4J = "2.25.3"
ROOTS = {
    "compiler": ("org.eclipse.jdt:ecj:3.42.0",),
    "kafka": (
        f"org.apache.kafka:kafka_2.13:{KAFKA}",
        # Named as well: log4j's dependency management would choose clients 3.9.1.
        f"org.apache.kafka:kafka-clients:{KAFKA}",
        f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
        f"org.apache.logging.log4j:log4j-core:{LOG4J}",
    ),
    "elasticsearch": (
        f"org.elasticsearch:elasticsearch:{ELASTICSEARCH}",
        f"org.elasticsearch.plugin:transport-netty4:{ELASTICSEARCH}",
    ),
}


def main() -> None:
    """Resolve every server's jars and write their coordinates and SHA-256."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for server, roots in ROOTS.items():
            for artifact in _resolved(roots, Path(folder) / server):
                digest = hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()
                name = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
                lines.append(f"{server} {name} {digest}\n")
    LOCK.write_text("".join(lines), "ascii")
    sys.stdout.write(f"{len(lines)} jars\n")


def _resolved(roots: tuple[str, ...], repository: Path) -> list[Any]:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=repository, timeout=60)
    wanted = [context.create_dependency(root) for root in roots]
    inputs, others = context.resolver.resolve(wanted)
    found = [*inputs, *(one for one in others if one.scope in {"compile", "runtime"})]
    if odd := [str(one) for one in found if one.classifier or one.type != "jar"]:
        raise SystemExit(f"the lock has no place for classifiers: {odd}")
    return [one.artifact for one in found]


if __name__ == "__main__":
    main()
