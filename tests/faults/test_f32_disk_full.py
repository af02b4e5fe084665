"""F32: the disk fills up under the whole pipeline.

A limit on the size of files stands for the full disk: it can be lifted from outside.
"""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

from tests.crash import newsroom
from tests.ledger import COMMON
from tests.running import Running

SENTENCE = "Disk full: polling paused, searching still works"


async def test_f32_polling_pauses_searching_works_and_all_resumes_by_itself(
    tmp_path: Path,
) -> None:
    async with newsroom(tmp_path, seed=32, trouble=0.0) as scene:
        scene.ledger.issue(20)
        child = scene.start()
        try:
            await child.ready()
            await scene.quiet(child)
            fill_disk(child)
            scene.ledger.issue(20)
            assert SENTENCE in await paused(child)
            asked = scene.ledger.requests
            await asyncio.sleep(2.0)
            assert scene.ledger.requests - asked <= 4, "at most what was under way"
            assert await child.found(COMMON) == 20
            assert child.process.poll() is None
            make_room(child)
            await scene.quiet(child)
            ready = await child.ask("/readyz")
            assert ready.text == "ok\n"
            assert await child.terminate() == 0
        finally:
            child.kill()
        findings = await scene.conclude()
    assert not findings.differences


def fill_disk(child: Running) -> None:
    _, hard = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (1, hard))


def make_room(child: Running) -> None:
    _, hard = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def paused(child: Running) -> str:
    """What it says that it cannot do, as soon as it says so."""
    async with asyncio.timeout(30):
        while (answer := await child.ask("/readyz")).status_code == 200:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return answer.text
