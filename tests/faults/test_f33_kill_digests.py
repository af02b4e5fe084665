"""F33, the digests' part: killed before, between and after the writes that a digest takes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from search.alert_state import Alert
from tests.alerting import START, Clock, Newsdesk, story
from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
LATER = START + timedelta(hours=2)
COUNT = 1_200
"""Members, so that marking them takes several writes."""

CHILD = """
import asyncio, os, sys
from pathlib import Path
from tests.alerting import Clock, Newsdesk
from tests.faults.test_f33_kill_digests import LATER

passed = 0

def crash(name):
    global passed
    passed += name == sys.argv[2]
    if passed == int(sys.argv[3]):
        os.kill(os.getpid(), 9)

async def main():
    async with Newsdesk(folder=Path(sys.argv[1]), clock=Clock(LATER), crash_point=crash) as desk:
        async with desk.sending():
            await desk.until_all("sent")

asyncio.run(main())
"""


async def run_until_killed(folder: Path, point: str, times: int) -> None:
    arguments = [sys.executable, "-c", CHILD, str(folder), point, str(times)]
    child = await asyncio.create_subprocess_exec(
        *arguments, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    _, errors = await child.communicate()
    assert child.returncode == -9, errors.decode()


@pytest.mark.parametrize(
    ("point", "times", "sent"),
    [
        ("digest", 1, 0),  # stored, not sent
        ("K7", 1, 1),  # sent, its outcome not written: it comes twice, with one id
        ("marking", 1, 1),  # some of its members marked
        ("marking", 2, 1),
    ],
)
async def test_f33_a_kill_around_a_digest_loses_and_doubles_no_alert(
    tmp_path: Path, point: str, times: int, sent: int
) -> None:
    async with Receiver() as receiver:
        desk = Newsdesk(folder=tmp_path, clock=Clock())
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.retime("truce", quiet="12:00-13:00")
        desk.publish(*(story(f"a{one}") for one in range(COUNT)))
        desk.settle()
        desk.close()
        clock = Clock(LATER + timedelta(hours=2))
        await run_until_killed(tmp_path, point, times)
        assert len(receiver.got) == sent
        async with Newsdesk(folder=tmp_path, clock=clock) as again, again.sending():
            found = await again.until_all("sent", look_seconds=0.3)
        check(found, {one.id for one in receiver.got})
        assert len(receiver.got) == sent + (point != "marking")


def check(found: list[Alert], received: set[str]) -> None:
    """All are brought by one digest, which came under one id."""
    (digest,) = [one for one in found if one.type == "digest"]
    members = [one for one in found if one.type != "digest"]
    assert received == {digest.alert_id}
    assert Counter(digest.members) == Counter(one.alert_id for one in members)
    assert {one.digest for one in members} == {digest.alert_id}
    assert len(members) == COUNT


async def test_f33_what_is_held_is_held_by_the_next_owner_too(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        clock = Clock()
        held = []
        for name in "abc":
            async with Newsdesk(folder=tmp_path, clock=clock) as desk, desk.sending():
                if name == "a":
                    desk.subscribe("truce", to=receiver.url)
                    desk.settle()
                    desk.retime("truce", mode="digest", digest="0 8 * * *")
                desk.publish(story(name))
                desk.settle()
                clock.advance(hours=1)
                desk.sender.notify([])
                held = await desk.until_all("held")
        assert not receiver.got
        assert len(held) == 3
        clock.advance(days=1)
        async with Newsdesk(folder=tmp_path, clock=clock) as desk, desk.sending():
            await desk.until_all("sent")
        assert [one.data["count"] for one in receiver.got] == [3]


async def test_f33_a_digest_that_waits_for_its_receiver_is_repeated_by_the_next_owner(
    tmp_path: Path,
) -> None:
    async with Receiver(answers=[500]) as receiver:
        clock = Clock()
        async with Newsdesk(folder=tmp_path, clock=clock) as desk:
            desk.subscribe("truce", to=receiver.url)
            desk.settle()
            desk.retime("truce", mode="digest", digest="0 8 * * *")
            desk.publish(story("a"), story("b"))
            desk.settle()
            clock.advance(days=1)
            async with desk.sending():
                await desk.until(lambda found: any(one.attempts for one in found))
        clock.advance(minutes=1)
        async with Newsdesk(folder=tmp_path, clock=clock) as desk:
            desk.publish(story("c"))  # for the next digest, not for this one
            desk.settle()
            async with desk.sending():
                await desk.until(
                    lambda found: Counter(one.state for one in found) == {"sent": 3, "held": 1}
                )
        first, second = receiver.got
        assert (first.id, first.body) == (second.id, second.body)
