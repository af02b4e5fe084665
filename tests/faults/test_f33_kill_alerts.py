"""F33, the alerts' part: killed after the claim (K6), and after the delivery (K7)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alerting import Newsdesk, Running, story
from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import asyncio, os, sys
from pathlib import Path
from tests.alerting import Newsdesk

def crash(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), 9)

async def main():
    async with Newsdesk(folder=Path(sys.argv[1]), crash_point=crash) as desk:
        await asyncio.to_thread(desk.settle)
        await desk.sender.once()

asyncio.run(main())
"""


async def run_until_killed(folder: Path, point: str) -> None:
    arguments = [sys.executable, "-c", CHILD, str(folder), point]
    child = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stderr=subprocess.PIPE)
    _, errors = await child.communicate()
    assert child.returncode == -9, errors.decode()


@pytest.mark.parametrize(("point", "before", "after"), [("K6", 0, 3), ("K7", 1, 4)])
async def test_f33_a_kill_around_the_delivery_loses_and_doubles_no_alert(
    tmp_path: Path, point: str, before: int, after: int
) -> None:
    async with Receiver() as receiver:
        desk = Newsdesk(folder=tmp_path)
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(*(story(name) for name in "abc"))
        desk.close()
        await run_until_killed(tmp_path, point)
        # After K7 several may have been under way, and each of them may be repeated.
        sent = len(receiver.got)
        assert before <= sent <= 3
        async with Newsdesk(folder=tmp_path) as again:
            again.settle()
            await again.sender.once()
            assert {one.state for one in again.alerts()} == {"sent"}
            assert {one.id for one in receiver.got} == {one.alert_id for one in again.alerts()}
        assert len({one.id for one in receiver.got}) == 3
        assert len(receiver.got) <= sent + 3
        if point == "K6":
            assert len(receiver.got) == after


async def test_f33_claims_of_a_killed_owner_are_found_by_the_next(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        desk = Newsdesk(folder=tmp_path)
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.close()
        for _ in range(2):  # the second finds nothing to claim, so it is not killed
            child = Newsdesk(folder=tmp_path)
            child.settle()
            child.close()
        async with Newsdesk(folder=tmp_path) as again:
            stop = asyncio.Event()
            with Running(again.owner):
                running = asyncio.create_task(again.sender.run(stop))
                await receiver.wait_for(1)
                again.publish(story("a"), story("b"))
                await receiver.wait_for(2)
            stop.set()
            await running
            assert len(again.alerts()) == len(receiver.got) == 2
