"""F34: SIGTERM, Ctrl-C once and twice, a machine that slept."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.crash import newsroom
from tests.newsserver import NewsServer
from tests.running import Place, Running

END_SECONDS = 10.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_f34_a_signal_ends_the_batch_in_hand_and_then_the_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with newsroom(tmp_path, seed=34, trouble=0.0) as scene:
        scene.ledger.issue(40)
        child = scene.start()
        try:
            await child.ready()
            child.process.send_signal(number)
            assert await child.ended(seconds=END_SECONDS) == 0, child.said()
        finally:
            child.kill()
        assert "Traceback" not in child.said()
        findings = await scene.conclude()
    assert not findings.differences


async def test_f34_a_feed_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with hanging(tmp_path) as child:
        started = time.monotonic()
        assert await child.terminate() == 0, child.said()
        assert time.monotonic() - started < END_SECONDS


async def test_f34_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    async with hanging(tmp_path) as child:
        child.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.5)
        assert child.process.poll() is None, "the first waits for what is under way"
        child.process.send_signal(signal.SIGINT)
        assert await child.ended(seconds=1.0) != 0
        assert "Traceback" not in child.said()


async def test_f34_after_a_sleep_of_the_machine_all_goes_on(tmp_path: Path) -> None:
    async with newsroom(tmp_path, seed=35, trouble=0.0) as scene:
        child = scene.start()
        try:
            await child.ready()
            child.process.send_signal(signal.SIGSTOP)
            scene.ledger.issue(12)
            await asyncio.sleep(1.5)
            child.process.send_signal(signal.SIGCONT)
            await scene.quiet(child)
            assert await child.terminate() == 0
        finally:
            child.kill()
        findings = await scene.conclude()
    assert not findings.differences


@asynccontextmanager
async def hanging(folder: Path) -> AsyncIterator[Running]:
    """A process whose only feed is being fetched and never answers."""

    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with NewsServer() as site:
        site.script("/feed", hang)
        place = Place(folder=folder, settings={"net.allow": site.host})
        (folder / "feeds.txt").write_text(site.url("/feed"))
        child = Running(place, "run", "--no-web", "--feeds", str(folder / "feeds.txt"))
        try:
            await child.ready()
            async with asyncio.timeout(20):
                while not site.count("/feed"):  # noqa: ASYNC110 - another process, no event
                    await asyncio.sleep(0.02)
            yield child
        finally:
            child.kill()
