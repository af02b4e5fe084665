from __future__ import annotations

import asyncio
import time

import pytest

from ingest.errors import UnreadableError
from ingest.sandbox import Sandbox
from ingest.settings import ParseSettings

ATTRIBUTES = (
    b'<?xml version="1.0"?><rss version="2.0" '
    + b" ".join(b'a%d="x"' % number for number in range(60_000))
    + b"><channel><title>t</title></channel></rss>"
)
CATEGORIES = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><item><title>t</title>'
    + b"".join(b"<category>c%d</category>" % number for number in range(60_000))
    + b"</item></channel></rss>"
)
AUTHORS = (
    b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><title>t</title>'
    + b"".join(b"<author><name>n%d</name></author>" % number for number in range(60_000))
    + b"</entry></feed>"
)
ILL_FORMED = b"<rss><channel>" + b"<item><title>a<b c=d<e></title>" * 80_000 + b"</channel>"
STALL_SECONDS = 0.05
ATTEMPTS = 5


@pytest.mark.parametrize("body", [ATTRIBUTES, CATEGORIES, AUTHORS, ILL_FORMED],
                         ids=["attributes", "categories", "authors", "ill-formed"])  # fmt: skip
async def test_f07_a_feed_that_burns_the_processor_is_stopped_on_time(body: bytes) -> None:
    sandbox = Sandbox("tests.sandbox_targets:parse", settings=ParseSettings(seconds=1))
    await sandbox.call({}, b"<rss><channel><item><title>warm</title></item></channel></rss>")
    started = time.monotonic()
    with pytest.raises(UnreadableError) as caught:
        await sandbox.call({}, body)
    assert time.monotonic() - started < 3
    assert caught.value.code == "too-slow"
    assert caught.value.sentence == "Refused: took more than 1 s to read."
    await sandbox.close()


async def test_f07_the_event_loop_is_never_stalled_by_a_reader() -> None:
    sandbox = Sandbox("tests.sandbox_targets:act", settings=ParseSettings(seconds=0.5))
    many = Sandbox("tests.sandbox_targets:many", settings=ParseSettings(seconds=20))
    await asyncio.gather(sandbox.call({}, b""), many.call({"count": 1, "size": 1}, b""))
    stalls: list[float] = []
    # A busy machine may hold up the test itself; a stall of ours is there every time.
    while not stalls or (min(stalls) >= STALL_SECONDS and len(stalls) < ATTEMPTS):
        heart = asyncio.create_task(_longest_stall())
        for action in ("spin", "segfault", "exit"):
            with pytest.raises(UnreadableError):
                await sandbox.call({"do": action}, bytes(15_000_000))
            assert len((await many.call({"count": 2_000, "size": 2_000}, b""))["entries"]) == 2_000
        heart.cancel()
        stalls.append(await heart)
    await asyncio.gather(sandbox.close(), many.close())
    assert min(stalls) < STALL_SECONDS


async def _longest_stall() -> float:
    """The longest time by which a nap of 5 ms was late, until cancelled."""
    loop, longest = asyncio.get_running_loop(), 0.0
    try:
        while True:
            began = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - began - 0.005)
    except asyncio.CancelledError:
        return longest
