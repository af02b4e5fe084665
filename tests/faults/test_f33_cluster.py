"""F33 of many machines: kill -9 of workers and of a server, over a real Kafka and Elasticsearch.

``python -m tests.crash_cluster`` is the same with 20 kills over 20,000 items.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")
pytest.importorskip("faust", reason="the extra for Kafka is not installed")

from deploy.servers.launcher import ServerFiles
from tests.cluster_scene import Size
from tests.crash_cluster import Kill, follow, plan

ITEMS = 300
SIZE = Size(feeds=8, listed=100, poll_seconds=2.0, marked=0.1)
KILLS = (("group", True), ("alert", False), ("kafka", False))
"""Whom, and whether another takes over; each of the others has tests of its own."""

pytestmark = pytest.mark.timeout(600)  # two servers and ten processes, 70 s where nothing else runs


async def test_f33_kills_over_real_servers_lose_nothing_and_double_nothing(
    server_files: ServerFiles, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    wanted = replace(
        plan(seed=seed, kills=0, items=ITEMS, size=SIZE),
        kills=tuple(
            Kill(kind=kind, after=1.0, stays_dead=stays_dead, pick=0.3)
            for kind, stays_dead in KILLS
        ),
    )
    print(f"seed {seed}")
    findings = await follow(wanted, tmp_path, server_files, quick=True)
    assert findings.differences == [], findings.ended
    assert findings.audit.indexed == ITEMS
