"""All real feeds through one machine and through many: whether the answers are the same.

``python -m tests.benchmarks.same_answers [feeds]`` starts both servers and two processes of each
stage, and prints what was compared; exit status 1 where there is a difference.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from deploy.cluster import load_servers
from deploy.events import log_to_stderr
from deploy.servers.elasticsearch import ElasticsearchServer
from deploy.servers.kafka import KafkaServer
from tests.both_shells import Compared, compared
from tests.conftest import ROOT
from tests.real_feeds import real_files, served

FEEDS = ROOT.parent / "shared" / "data" / "feeds"
SEARCHES = 200
SECONDS = 600.0
SHOWN = 40


def run(folder: Path, files: list[str]) -> Compared:
    """Carry ``files`` with servers of our own."""
    jars = load_servers()
    kafka = KafkaServer(folder / "kafka", jars, quick=True)
    elastic = ElasticsearchServer(folder / "elasticsearch", jars, quick=True)
    try:
        kafka.start()
        elastic.start()
        with served(FEEDS, files) as sites:
            job = compared(
                sites,
                folder,
                kafka=kafka.address,
                elastic={"url": elastic.url, "prefix": "same"},
                searches=SEARCHES,
                seconds=SECONDS,
            )
            return asyncio.run(job)
    finally:
        elastic.stop()
        kafka.stop()


def main(most: int) -> int:
    """Print figures and differences; 1 where there are any."""
    if not FEEDS.is_dir():
        print(f"no evaluation data beside the repository: {FEEDS.parent.name}/{FEEDS.name}")
        return 1
    files = real_files(FEEDS)
    log_to_stderr("warning")
    with tempfile.TemporaryDirectory(prefix="wirewatch-same-") as folder:
        both = run(Path(folder), files[:: max(1, len(files) // most)])
    print(json.dumps(both.figures(), indent=1))
    print(f"records by process: {json.dumps(both.records)}")
    print(f"seconds: {json.dumps(both.seconds)}")
    found = both.differences()
    print("\n".join(found[:SHOWN]))
    print(f"{len(found)} differences")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
