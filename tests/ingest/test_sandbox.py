from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ingest.errors import FeedError, UnreadableError
from ingest.resident_memory import resident_bytes, wait_for_excess
from ingest.sandbox import Sandbox, SandboxPool
from ingest.settings import ParseSettings

QUICK = ParseSettings(seconds=1, memory_bytes=1 << 28, processes=2)
ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., Sandbox]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Sandboxes that are closed when the test is over."""
    made: list[Sandbox] = []

    def sandbox(target: str, settings: ParseSettings = QUICK) -> Sandbox:
        made.append(Sandbox(f"tests.sandbox_targets:{target}", settings=settings))
        return made[-1]

    yield sandbox
    for one in made:
        await one.close()


async def gone(pid: int) -> bool:
    """Whether the process ``pid`` ends within two seconds."""
    for _ in range(100):
        if not _alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def _alive(pid: int) -> bool:
    # An orphan stays a zombie where the first process of a container does not wait for it.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return state.stdout.strip()[:1] not in {b"", b"Z"}


async def refused(call: Awaitable[object]) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        await call
    return caught.value


async def test_header_and_body_go_in_and_an_answer_comes_back(make: Make) -> None:
    sandbox = make("echo", ParseSettings(seconds=20))
    for size in (0, 1, 15_000_000):
        answer = await sandbox.call({"url": "http://é/"}, b"x" * size)
        assert (answer["header"], answer["size"]) == ({"url": "http://é/"}, size)
        assert answer["pid"] != os.getpid()


async def test_a_body_above_16_mb_is_refused_without_a_call(make: Make) -> None:
    error = await refused(make("echo").call({}, bytes(16_000_001)))
    assert error.code == "too-large"


async def test_an_answer_above_16_mb_is_a_crash(make: Make) -> None:
    sandbox = make("many", ParseSettings(seconds=20))
    assert (await refused(sandbox.call({"count": 17, "size": 1_000_000}, b""))).code == "crashed"
    assert len((await sandbox.call({"count": 15, "size": 1_000_000}, b""))["entries"]) == 15


async def test_an_error_of_ours_comes_back_with_code_sentence_and_hint(make: Make) -> None:
    error = await refused(make("act").call({"do": "refuse"}, b""))
    assert (error.code, error.sentence, error.hint) == (
        "entities",
        "Refused: declares entities.",
        "Tell them.",
    )


async def test_a_bug_in_the_reader_is_a_crash_that_costs_no_process(make: Make) -> None:
    sandbox = make("act")
    before = (await sandbox.call({}, b""))["pid"]
    error = await refused(sandbox.call({"do": "fail"}, b""))
    assert (error.code, error.sentence) == ("crashed", "Reader crashed on this feed.")
    assert "LookupError: a plain bug" in str(error)
    assert (await sandbox.call({}, b""))["pid"] == before


async def test_what_the_reader_prints_never_mixes_with_answers(make: Make) -> None:
    assert (await make("act").call({"do": "print"}, b""))["done"]


async def test_the_child_has_no_environment_and_no_descriptor_of_ours(make: Make) -> None:
    held = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(held, True)  # noqa: FBT003 - its only form
    answer = await make("surroundings").call({}, b"")
    os.close(held)
    # Python may set LC_CTYPE itself (PEP 538).
    assert set(answer["environment"]) <= {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert len(answer["descriptors"]) == 4  # three standard ones, to nowhere, and the channel
    assert answer["session_leader"]
    assert answer["core"] == 0
    assert answer["working_folder"] == "/"


@pytest.mark.parametrize("action", ["run", "fork", "write", "connect"])
async def test_the_child_cannot_act_on_the_world(make: Make, action: str, tmp_path: Path) -> None:
    decoy = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    header: dict[str, object] = {
        "do": action,
        "path": str(tmp_path / "made"),
        "port": decoy.sockets[0].getsockname()[1],
    }
    error = await refused(make("act").call(header, b"x"))
    decoy.close()
    assert "refused in the sandbox" in str(error)
    assert not (tmp_path / "made").exists()


async def test_memory_above_the_limit_is_told_as_such(make: Make) -> None:
    sandbox = make("act", ParseSettings(seconds=20, memory_bytes=1 << 28))
    before = (await sandbox.call({}, b""))["pid"]
    assert (await refused(sandbox.call({"do": "hoard"}, b""))).code == "out-of-memory"
    assert (await sandbox.call({}, b""))["pid"] != before


async def test_where_the_kernel_sets_no_limit_the_parent_watches(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sandbox.RLIMIT_AS_BINDS", False)
    sandbox = make("act", ParseSettings(seconds=20, memory_bytes=1 << 28))
    assert (await sandbox.call({"do": "sleep", "seconds": 0.6}, b""))["done"]
    monkeypatch.setattr("ingest.resident_memory.CHECK_SECONDS", 0.01)
    assert (await refused(sandbox.call({"do": "hoard"}, b""))).code == "out-of-memory"
    assert (await sandbox.call({}, b""))["done"]


async def test_resident_memory_is_read_from_the_system() -> None:
    assert 1 << 20 < await resident_bytes(os.getpid()) < 1 << 36
    await asyncio.wait_for(wait_for_excess(os.getpid(), limit_bytes=1 << 20), 5)


async def test_a_process_is_replaced_after_its_share_of_calls(make: Make) -> None:
    sandbox = make("echo", ParseSettings(recycle_after=2))
    pids = [(await sandbox.call({}, b""))["pid"] for _ in range(5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    assert await gone(pids[0])


async def test_the_replacement_starts_while_nobody_waits(make: Make) -> None:
    sandbox = make("act")
    await refused(sandbox.call({"do": "exit"}, b""))
    await asyncio.sleep(1.0)
    started = time.monotonic()
    assert (await sandbox.call({}, b""))["done"]
    assert time.monotonic() - started < 0.1


async def test_a_process_that_dies_between_two_calls_is_blamed_on_no_feed(make: Make) -> None:
    sandbox = make("echo")
    os.kill((await sandbox.call({}, b""))["pid"], signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert (await sandbox.call({}, b""))["size"] == 0


async def test_a_cancelled_call_leaves_no_answer_to_the_next(make: Make) -> None:
    sandbox = make("act", ParseSettings(seconds=20))
    before = (await sandbox.call({}, b""))["pid"]
    call = asyncio.create_task(sandbox.call({"do": "sleep", "seconds": 10}, b""))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await sandbox.call({}, b""))["pid"] != before
    assert await gone(before)


async def test_calls_from_several_tasks_each_get_their_own_answer(make: Make) -> None:
    sandbox = make("echo")
    sizes = [(await call)["size"] for call in [sandbox.call({}, b"x" * n) for n in range(20)]]
    assert sizes == list(range(20))


async def test_closing_ends_the_child_also_during_a_call_or_a_start(make: Make) -> None:
    idle, busy, fresh = make("echo"), make("act", ParseSettings(seconds=20)), make("echo")
    idle_pid = (await idle.call({}, b""))["pid"]
    busy_pid = (await busy.call({}, b""))["pid"]
    running = asyncio.create_task(busy.call({"do": "spin"}, b""))
    starting = asyncio.create_task(fresh.call({}, b""))
    await asyncio.sleep(0.02)
    for sandbox in (idle, busy, fresh):
        await sandbox.close()
    for task in (running, starting):
        with contextlib.suppress(FeedError, asyncio.CancelledError):
            await task
    assert await gone(idle_pid)
    assert await gone(busy_pid)


@pytest.mark.parametrize("target", ["no_such_module:f", "tests.sandbox_targets:no_such"])
async def test_a_reader_that_cannot_start_is_no_fault_of_the_feed(target: str) -> None:
    sandbox = Sandbox(target)
    for _ in range(2):
        with pytest.raises(FeedError) as caught:
            await sandbox.call({}, b"")
        assert caught.value.code == "reader-not-started"
        assert not isinstance(caught.value, UnreadableError)
    await sandbox.close()


async def test_a_pool_reads_side_by_side_and_survives_bad_feeds() -> None:
    pool = SandboxPool("tests.sandbox_targets:act", settings=QUICK)
    calls = [pool.call({"do": action}, b"") for action in ("segfault", "spin", "", "exit", "", "")]
    found = await asyncio.gather(*calls, return_exceptions=True)
    codes = [one.code if isinstance(one, UnreadableError) else "fine" for one in found]
    assert codes == ["crashed", "too-slow", "fine", "crashed", "fine", "fine"]
    await pool.close()


PARENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from ingest.sandbox import Sandbox
from ingest.settings import ParseSettings
async def main():
    sandbox = Sandbox("tests.sandbox_targets:act", settings=ParseSettings(seconds=0.9))
    print((await sandbox.call({}, b""))["pid"], flush=True)
    await sandbox.call({"do": sys.argv[2]}, b"")
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.parametrize("action", ["", "spin"])
def test_the_child_ends_when_its_parent_is_killed(action: str) -> None:
    command = [sys.executable, "-c", PARENT, str(ROOT), action]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    # An idle child sees the end of its channel; a busy one is ended by its alarm after 3 s.
    deadline = time.monotonic() + (10 if action else 2)
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)
