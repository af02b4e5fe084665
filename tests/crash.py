"""The crash harness: kill -9 at random moments over a known ledger of items, then compare.

    python -m tests.crash --kills 200 --items 2000

Serves a ledger of items, runs ``wirewatch run`` over it as a child, kills it by its pid at random
moments, starts it again, waits for quiet in the end and compares the ledger with the log, the
index and the receiver of the alerts. The seed is printed; a replay file keeps it with the moments
of the kills. Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.alert_book import ONE_BY_ONE, AlertBook
from tests.audit import Audit, audit
from tests.ledger import COMMON, MARK, Ledger
from tests.running import Place, Running

SUBSCRIPTIONS = {"marked": MARK, "everything": COMMON}
POLLING = {"poll.min_seconds": 0.3, "poll.default_seconds": 0.3, "poll.max_seconds": 0.6}
LIFE_SECONDS = 2.5
"""How long a child lives on average; items are spread over that."""

QUIET_SECONDS = 90.0
"""For all that was begun to end: a refused alert comes again after 5 s, with a rest between."""

ORPHAN_SECONDS = 10.0
"""A sandbox whose parent died in the middle of a call ends by its own alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """When to kill: ``seconds`` after the start, or after the child first answered."""

    after_ready: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run of the harness: same plan, same moments."""

    seed: int
    kills: tuple[Kill, ...]
    items: int


@dataclass(slots=True, kw_only=True)
class Findings:
    """What came of a plan; nothing but ``differences`` is a failure."""

    audit: Audit
    starting: int = 0
    orphans: tuple[int, ...] = ()
    status: int = 0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)


def plan(*, seed: int, kills: int, items: int) -> Plan:
    """A plan of ``kills`` random moments; a quarter counts from the start."""
    chance = random.Random(seed)
    return Plan(
        seed=seed,
        items=items,
        kills=tuple(
            Kill(after_ready=chance.random() < 0.75, seconds=round(chance.uniform(0.2, 3.0), 3))
            for _ in range(kills)
        ),
    )


async def follow(wanted: Plan, folder: Path) -> Findings:
    """Carry out a plan in ``folder``."""
    started = time.monotonic()
    async with newsroom(folder, seed=wanted.seed) as scene, asyncio.TaskGroup() as tasks:
        per_second = wanted.items / (len(wanted.kills) * LIFE_SECONDS)
        issuing = tasks.create_task(
            scene.ledger.keep_issuing(per_second=per_second, total=wanted.items)
        )
        starting = 0
        for number, kill in enumerate(wanted.kills):
            starting += await _run_and_kill(scene, kill, number)
        await issuing
        findings = await scene.conclude()
    findings.starting = starting
    findings.seconds = round(time.monotonic() - started, 1)
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A ledger that is served, a receiver of alerts, and where the product runs between them."""

    ledger: Ledger
    book: AlertBook
    place: Place

    def start(self, number: int = 0) -> Running:
        """``wirewatch run`` over the ledger's feeds."""
        return Running(
            self.place, "run", "--no-web", "--feeds", str(self.feeds_file), number=number
        )

    @property
    def feeds_file(self) -> Path:
        return self.place.folder / "feeds.txt"

    async def conclude(self) -> Findings:
        """Run once more until all is quiet, stop, compare."""
        child = self.start()
        try:
            await child.ready()
            await self.quiet(child)
            status = await child.terminate()
        finally:
            child.kill()
        found = await asyncio.to_thread(audit, self.place.data, self.ledger, self.book)
        findings = Findings(audit=found, status=status, orphans=await self._orphans())
        findings.differences += found.differences
        if status:
            findings.differences.append(f"the last run ended with {status}: {child.said()}")
        if findings.orphans:
            findings.differences.append(f"processes outlived their parent: {findings.orphans}")
        return findings

    async def quiet(self, child: Running) -> None:
        """Wait until everything issued is found and its alerts are acknowledged."""
        wanted = len(self.ledger.items) + len(self.ledger.marked)
        with contextlib.suppress(TimeoutError):  # what is missing then is in the audit
            async with asyncio.timeout(QUIET_SECONDS):
                while (  # noqa: ASYNC110 - another process, no event
                    await child.found(COMMON) < len(self.ledger.items)
                    or len({one.alert_id for one in self.book.acknowledged()}) < wanted
                ):
                    await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)  # for what should not come

    async def _orphans(self) -> tuple[int, ...]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ORPHAN_SECONDS):
                while self.place.processes():  # noqa: ASYNC110 - processes, no event
                    await asyncio.sleep(0.1)
        return tuple(self.place.processes())


@contextlib.asynccontextmanager
async def newsroom(folder: Path, *, seed: int, trouble: float = 0.03) -> AsyncIterator[Scene]:
    """A scene in ``folder`` with two subscriptions; the receiver fails in ``trouble`` of cases."""
    async with (
        Ledger(feeds=4, seed=seed) as ledger,
        AlertBook(refuses=trouble, dawdles=trouble, seed=seed) as book,
    ):
        place = Place(
            folder=folder,
            settings={**POLLING, "net.allow": f"{ledger.host},{book.host}", **ONE_BY_ONE},
        )
        scene = Scene(ledger=ledger, book=book, place=place)
        scene.feeds_file.write_text("\n".join(ledger.feed_urls))
        for name, query in SUBSCRIPTIONS.items():
            secret = await asyncio.to_thread(place.subscribe, name, query, book.url(name))
            book.secrets[name] = secret
        yield scene


async def _run_and_kill(scene: Scene, kill: Kill, number: int) -> bool:
    """Start, wait, kill; whether it was still starting. Raises RuntimeError where it ended."""
    child = scene.start(number)
    try:
        if kill.after_ready:
            await child.ready()
        await asyncio.sleep(kill.seconds)
        starting = not await child.answers()
        if child.process.poll() is not None:
            raise RuntimeError(f"it ended by itself: {child.said()}")
    finally:
        child.kill()
    child.errors.unlink()
    child.output.unlink()
    return starting


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a plan, print its figures, leave a replay file; 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args(arguments)
    wanted = plan(seed=given.seed, kills=given.kills, items=given.items)
    replay = Path(f"replay-{wanted.seed}.json")
    replay.write_text(json.dumps(asdict(wanted), indent=1) + "\n")
    print(f"seed {wanted.seed}: {given.kills} kills over {given.items} items; see {replay}")
    with tempfile.TemporaryDirectory(prefix="wirewatch-crash-") as folder:
        findings = asyncio.run(follow(wanted, Path(folder)))
    print(f"{len(wanted.kills)} kills, {findings.starting} of them during a start, in "
          f"{findings.seconds:g} s; exit status at the end {findings.status}")  # fmt: skip
    for name, value in findings.audit.figures().items():
        print(f"{name:<32} {value}")
    for difference in findings.differences[:50]:
        print(f"DIFFERENCE: {difference}")
    return int(bool(findings.differences))


if __name__ == "__main__":
    sys.exit(main())
