from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from ingest import politeness
from ingest.errors import FetchError
from ingest.guard import Guard
from ingest.politeness import HostSlots
from ingest.settings import NetSettings

ONE = "http://one.example/feed"
OTHER_FEED = "https://ONE.example:8443/other"
TWO = "http://two.example/feed"


def slots(*, connections: int = 1, gap_seconds: float = 0.1, allow: str = "") -> HostSlots:
    guard = Guard(NetSettings(allow=(allow,) if allow else ()))
    return HostSlots(guard=guard, connections=connections, gap_seconds=gap_seconds)


async def starts(turns: HostSlots, urls: list[str], *, busy_seconds: float = 0.0) -> list[float]:
    """When each turn began, in order."""
    begun: list[float] = []

    async def take(url: str) -> None:
        async with turns.turn(url):
            begun.append(time.monotonic())
            await asyncio.sleep(busy_seconds)

    await asyncio.gather(*(take(url) for url in urls))
    return sorted(begun)


def gaps(begun: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(begun)]


async def test_requests_to_one_host_start_a_gap_apart_whatever_their_port() -> None:
    begun = await starts(slots(), [ONE, OTHER_FEED, ONE])
    assert min(gaps(begun)) >= 0.095


async def test_a_host_gets_one_connection_at_a_time() -> None:
    begun = await starts(slots(gap_seconds=0.01), [ONE, ONE], busy_seconds=0.15)
    assert gaps(begun)[0] >= 0.145


async def test_more_connections_still_start_a_gap_apart() -> None:
    begun = await starts(slots(connections=3), [ONE, ONE, ONE], busy_seconds=1.0)
    assert all(0.095 <= gap < 0.5 for gap in gaps(begun))


async def test_other_hosts_do_not_wait() -> None:
    begun = await starts(slots(gap_seconds=5.0), [ONE, TWO])
    assert gaps(begun)[0] < 0.1


async def test_allowed_hosts_have_no_gap() -> None:
    begun = await starts(slots(gap_seconds=5.0, allow="one.example:80"), [ONE] * 5)
    assert begun[-1] - begun[0] < 0.5


async def test_a_host_that_others_speak_to_as_well_gets_its_rate_divided() -> None:
    turns = slots(gap_seconds=0.1)
    turns.share_of = lambda url: 0.25 if url == ONE else 1.0
    assert min(gaps(await starts(turns, [ONE, ONE]))) >= 0.395
    assert max(gaps(await starts(turns, [TWO, TWO]))) < 0.35


async def test_a_held_host_is_refused_at_once_and_others_are_served() -> None:
    turns = slots()
    turns.hold(ONE, 60)
    with pytest.raises(FetchError) as caught:
        async with turns.turn(OTHER_FEED):
            pass
    assert caught.value.code == "held"
    assert 59 < turns.held_seconds(ONE) <= 60
    assert turns.held_seconds(TWO) == 0
    async with turns.turn(TWO):
        pass


async def test_a_hold_is_never_shortened_and_ends() -> None:
    turns = slots()
    turns.hold(ONE, 0.2)
    turns.hold(ONE, 0.01)
    await asyncio.sleep(0.05)
    assert turns.held_seconds(ONE) > 0
    await asyncio.sleep(0.2)
    async with turns.turn(ONE):
        pass


async def test_who_waits_for_a_turn_learns_of_a_hold_set_meanwhile() -> None:
    turns = slots(gap_seconds=0.2)
    async with turns.turn(ONE):
        waiting = asyncio.create_task(starts(turns, [ONE]))
        await asyncio.sleep(0.05)
        turns.hold(ONE, 60)
    with pytest.raises(FetchError):
        await waiting


async def test_a_turn_given_up_while_waiting_frees_the_host() -> None:
    turns = slots(gap_seconds=0.1)
    async with turns.turn(ONE):
        waiting = asyncio.create_task(starts(turns, [ONE]))
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert len(await starts(turns, [ONE])) == 1


async def test_hosts_that_are_long_idle_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(politeness, "SWEEP_EVERY", 10)
    turns = slots(gap_seconds=0.0)
    turns.hold(ONE, 60)
    for number in range(100):
        async with turns.turn(f"http://host{number}.example/"):
            pass
    assert len(turns._hosts) <= 11
    assert turns.held_seconds(ONE) > 0
