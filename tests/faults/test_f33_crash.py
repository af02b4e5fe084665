"""F33: kill -9 of the whole pipeline, at random moments and at each named point.

``python -m tests.crash`` is the same with 200 kills.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.crash import Scene, follow, newsroom, plan
from tests.running import Running

KILLS = 15
ITEMS_A_ROUND = 8
CRASH_CHILD = ("-m", "tests.crash_child")

POINTS = (
    "K1",  # after a fetch
    "K2",  # before what a poll found is written
    "K3", "K3-written",  # around the append of the tagger
    "K4", "K4-written",  # around the append of the register
    "K5", "K5-written",  # around the commit of the index
    "K6",  # after a claim, before its POST
    "K7",  # after a POST, before its outcome
)  # fmt: skip


async def test_f33_random_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    wanted = plan(seed=random.SystemRandom().randrange(2**32), kills=KILLS, items=120)
    print(f"seed {wanted.seed}")
    findings = await follow(wanted, tmp_path)
    assert not findings.differences
    assert findings.audit.items == 120


@pytest.mark.parametrize("point", POINTS)
async def test_f33_a_kill_at_each_named_point_is_made_good_by_the_next_start(
    tmp_path: Path, point: str
) -> None:
    async with newsroom(tmp_path, seed=33, trouble=0.0) as scene:
        scene.ledger.issue(ITEMS_A_ROUND)
        await killed_at(scene, point, 2)
        scene.ledger.issue(ITEMS_A_ROUND)
        findings = await scene.conclude()
    assert not findings.differences


async def killed_at(scene: Scene, point: str, times: int) -> None:
    """Run until the child kills itself at the ``times``-th call of ``point``."""
    verb = (point, str(times), str(scene.feeds_file))
    child = Running(scene.place, *verb, command=CRASH_CHILD)
    try:
        issuing = asyncio.create_task(keep_issuing(scene))
        assert await child.ended(seconds=60) == -9, child.said()
        issuing.cancel()
    finally:
        child.kill()


async def keep_issuing(scene: Scene) -> None:
    """News for stages that need several batches to come to their point."""
    while True:
        await asyncio.sleep(1.0)
        scene.ledger.issue(4)


@pytest.mark.parametrize("first", [0.4, 0.6])
async def test_f33_k8_kills_during_the_first_starts_are_no_obstacle(
    tmp_path: Path, first: float
) -> None:
    async with newsroom(tmp_path, seed=8, trouble=0.0) as scene:
        scene.ledger.issue(ITEMS_A_ROUND)
        for number in range(4):
            child = scene.start(number)
            await asyncio.sleep(first + 0.4 * number)
            child.kill()
            assert child.process.returncode == -9, child.said()
        findings = await scene.conclude()
    assert not findings.differences
