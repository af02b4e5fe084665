"""F58, the alerts' part: a shard goes while an alert of it is under way, and comes back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.errors import UnavailableError
from ingest.log import Commit, NewRecord
from ingest.sqlite_log import SqliteLog
from search import outcomes, rounds, sender, turns
from tests.alerting import Newsdesk, Running, story
from tests.newsroom import until

PATIENCE_SECONDS = 20.0


@dataclass
class Moving:
    """The shards of one who loses them and gets them back."""

    is_shared: bool = True
    generation: int = 0
    is_away: bool = False

    def held(self) -> Mapping[int, int]:
        return {} if self.is_away else {0: self.generation}

    def holds(self, shard: int, generation: int) -> bool:
        return self.held().get(shard) == generation


class Unwilling(SqliteLog):
    """Leaves the outcome of a delivery unanswered while it is told to, as ``held``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_full = False
        self.held: Future[list[int]] | None = None

    def submit(
        self, records: Sequence[NewRecord], *, commit: Commit | None = None
    ) -> Future[list[int]]:
        if self.is_full and any(b'"state":"sent"' in (one.value or b"") for one in records):
            self.held = Future()
            return self.held
        return super().submit(records, commit=commit)


@dataclass
class Scene:
    """A desk whose sender runs, and whose shards may go."""

    desk: Newsdesk
    log: Unwilling
    shards: Moving = field(default_factory=Moving)

    def sent(self) -> bool:
        return {one.state for one in self.desk.alerts()} == {"sent"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(sender, "LOOK_SECONDS", 0.02)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    log = Unwilling(folder / "log.sqlite")
    async with Newsdesk(folder=folder, given=log) as desk:
        found = Scene(desk, log)
        desk.sender = desk.new_sender(shards=found.shards)
        desk.subscribe("ports")
        desk.settle()
        stop = asyncio.Event()
        sending = asyncio.create_task(desk.sender.run(stop))
        try:
            yield found
        finally:
            stop.set()
            await sending


def publish(desk: Newsdesk, count: int) -> None:
    desk.publish(*(story(f"a{number}") for number in range(count)))
    with Running(desk.owner):
        end = threading.Event()
        while desk.owner.lag():
            end.wait(0.01)


@pytest.mark.usefixtures("quick")
async def test_f58_an_outcome_that_was_not_written_before_its_shard_went_is_made_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as found:
        found.log.is_full = True
        await asyncio.to_thread(publish, found.desk, 1)
        await until(lambda: found.log.held is not None, seconds=PATIENCE_SECONDS)
        found.shards.generation += 1  # it went, came back, and is read before the write fails
        await until(lambda: found.desk.sender._waiting._held == {0: 1}, seconds=PATIENCE_SECONDS)
        await asyncio.sleep(0.1)
        found.log.is_full = False
        assert found.log.held is not None
        found.log.held.set_exception(UnavailableError("full", sentence="The log is full."))
        await until(found.sent, seconds=PATIENCE_SECONDS)
        assert found.desk.stdout.getvalue().count("Harbour talks end") == 2  # with one id


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("again", [0, 1], ids=["lease", "generation"])
async def test_f58_alerts_that_were_due_while_their_shard_was_away_are_sent_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: int
) -> None:
    gate = Gate()
    monkeypatch.setattr(turns, "MAX_BEGINNING", 1)
    monkeypatch.setattr(rounds.Rounds, "_read", gate.reading(rounds.Rounds._read))
    async with scene(tmp_path) as found:
        await asyncio.to_thread(publish, found.desk, 3)
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE_SECONDS)
        found.shards.is_away = True
        gate.let_one_through()
        await asyncio.sleep(0.2)
        found.shards.generation += again
        if again:
            found.shards.is_away = False
            await asyncio.sleep(0.2)  # it is read again while the second is being begun
        gate.open()
        await asyncio.sleep(0.2)
        found.shards.is_away = False
        await until(found.sent, seconds=PATIENCE_SECONDS)
        assert len(found.desk.alerts()) == 3


class Gate:
    """Holds up what goes through it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._passes = threading.Semaphore(0)

    def reading(self, real: Callable[..., object]) -> Callable[..., object]:
        def held_up(*given: object) -> object:
            self.reached.set()
            self._passes.acquire()
            return real(*given)

        return held_up

    def let_one_through(self) -> None:
        self._passes.release()

    def open(self) -> None:
        self._passes.release(1_000)
