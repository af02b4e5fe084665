"""The stages as processes of their own, each started again when it ends, as compose would."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.running import Place, Running

WORKERS = {"poll": 2, "tag": 2, "group": 2, "index": 2, "alert": 2}
"""How many of each stage; of two registers one works and one waits."""

RESTART_SECONDS = 1.0
LOOK_SECONDS = 0.2


@dataclass(slots=True, kw_only=True)
class Worker:
    """One process of a stage; ``running`` is none while it is left dead on purpose."""

    name: str
    kind: str
    place: Place
    running: Running | None = None
    starts: int = 0

    def start(self) -> None:
        """Start it; what it says goes to files of its own for each start."""
        self.starts += 1
        label = f"{self.name}.{self.starts}"
        self.running = Running(self.place, "stage", self.kind, number=label)

    def kill(self) -> None:
        """kill -9 by its pid; it stays dead until ``start``."""
        running, self.running = self.running, None
        if running is not None:
            running.kill()


class Crew:
    """All stages over one log and one index.

    Attributes:
        ended: What is to be said of processes that ended without being killed.
    """

    def __init__(self, place: Place) -> None:
        self.ended: list[str] = []
        self.workers = [
            Worker(name=name, kind=kind, place=_named(place, name))
            for kind, count in WORKERS.items()
            for name in (f"{kind}-{number}" for number in range(count))
        ]

    def start(self) -> None:
        """Start all."""
        for worker in self.workers:
            worker.start()

    def of(self, kind: str) -> list[Worker]:
        """The workers of one stage that run."""
        return [one for one in self.workers if one.kind == kind and one.running]

    async def supervise(self) -> None:
        """Start again what ended by itself, for ever."""
        while True:
            for worker in self.workers:
                if worker.running and (status := worker.running.process.poll()) is not None:
                    last = worker.running.said().strip().rpartition("\n")[-1]
                    self.ended.append(f"{worker.name} ended with {status}: {last[:500]}")
                    await asyncio.sleep(RESTART_SECONDS)
                    worker.start()
            await asyncio.sleep(LOOK_SECONDS)

    async def terminate(self) -> Mapping[str, int]:
        """SIGTERM to all; their exit statuses."""
        alive = {one.name: one.running for one in self.workers if one.running}
        ended = await asyncio.gather(*(one.terminate(seconds=30.0) for one in alive.values()))
        return dict(zip(alive, ended, strict=True))

    def kill(self) -> None:
        """kill -9 to all that is left."""
        for worker in self.workers:
            worker.kill()


def _named(place: Place, name: str) -> Place:
    """A restart of a worker with a lasting name finds its own partitions again."""
    return replace(place, settings={**place.settings, "log.member": name})
