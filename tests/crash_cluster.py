"""The crash harness of many machines: kill -9 in turn over a known ledger, then compare.

    python -m tests.crash_cluster --kills 20 --items 20000

Serves a ledger of items, runs every stage as processes of its own over a real Kafka and a real
Elasticsearch, kills a poller, a tagger, a register, an indexer, an alert worker, the broker and
Elasticsearch by their pids, starts each again at once or after another took over, waits until
nothing waits, and compares the ledger with the log, the index and the receiver of the alerts. The
seed is printed. Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cluster import load_servers
from deploy.servers.launcher import ServerFiles
from tests.audit import Audit
from tests.cluster_scene import Scene, Size, newsroom
from tests.stage_crew import Worker
from tests.takeover import GROUPS, moved

SERVERS = ("kafka", "elasticsearch")
KINDS = (*GROUPS, *SERVERS)

AT_ONCE_SECONDS = 1.0
PACE_SECONDS = 25.0
"""How long a kill takes on average with all that follows; items are spread over that."""

TAKEOVER_SECONDS = 90.0
QUIET_SECONDS = 300.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Whom to kill ``after`` seconds; ``stays_dead``: until another does its work."""

    kind: str
    after: float
    stays_dead: bool
    pick: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run of the harness: same plan, same order of kills."""

    seed: int
    items: int
    kills: tuple[Kill, ...]
    size: Size = field(default_factory=Size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How long the work of one who was killed stood still; none where it never went on."""

    kill: Kill
    victim: str
    seconds: float | None


@dataclass(slots=True, kw_only=True)
class Findings:
    """What came of a plan; nothing but ``differences`` is a failure."""

    audit: Audit
    pauses: list[Pause]
    ended: list[str]
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)


def plan(*, seed: int, kills: int, items: int, size: Size | None = None) -> Plan:
    """Each kind in turn, in an order that is drawn anew for each round."""
    chance = random.Random(seed)
    kinds: list[str] = []
    while len(kinds) < kills:
        kinds += chance.sample(KINDS, len(KINDS))
    chosen = (
        Kill(
            kind=kind,
            after=round(chance.uniform(1.0, 5.0), 2),
            stays_dead=chance.random() < 0.5,
            pick=chance.random(),
        )
        for kind in kinds[:kills]
    )
    return Plan(seed=seed, items=items, kills=tuple(chosen), size=size or Size())


async def follow(wanted: Plan, folder: Path, files: ServerFiles, *, quick: bool) -> Findings:
    """Carry out a plan in ``folder``."""
    async with newsroom(
        folder, files, seed=wanted.seed, size=wanted.size, quick=quick
    ) as scene, asyncio.TaskGroup() as tasks:  # fmt: skip
        scene.crew.start()
        await scene.ready()
        started = time.monotonic()
        run = _Run(scene, wanted)
        supervising = tasks.create_task(scene.crew.supervise())
        issuing = tasks.create_task(run.issue())
        for kill in wanted.kills:
            await run.carry_out(kill)
        await issuing
        waits = await scene.quiet(QUIET_SECONDS)
        seconds = time.monotonic() - started
        supervising.cancel()
        findings = await _concluded(scene, run)
    findings.seconds = round(seconds, 1)
    if waits:
        findings.differences.append(f"not quiet in the end: {waits}")
    return findings


class _Run:
    """The kills and the issuing, which keeps pace with them."""

    def __init__(self, scene: Scene, wanted: Plan) -> None:
        self.pauses: list[Pause] = []
        self.absent: list[str] = []  # who never came back into their groups
        self._scene = scene
        self._wanted = wanted

    async def issue(self) -> None:
        """Issue all items at an even rate over what is left of the kills."""
        ledger, kills = self._scene.ledger, len(self._wanted.kills)
        last = time.monotonic()
        owed = 0.0
        while left := self._wanted.items - len(ledger.items):
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            rounds = kills - len(self.pauses) + 0.5
            owed += (now - last) * max(left, 1) / (rounds * PACE_SECONDS)
            last = now
            ledger.issue(min(left, int(owed)))
            owed -= int(owed)

    async def carry_out(self, kill: Kill) -> None:
        """Wait, kill, see to it that the work goes on, start again."""
        await asyncio.sleep(kill.after)
        if kill.kind in SERVERS:
            pause = await self._server(kill)
        else:
            pause = await self._worker(kill)
        self.pauses.append(pause)
        seconds = "never" if pause.seconds is None else f"{pause.seconds:.1f} s"
        how = "left dead" if kill.stays_dead else "started again at once"
        print(f"{pause.victim:<14} {how:<22} work went on after {seconds}", flush=True)

    async def _worker(self, kill: Kill) -> Pause:
        owners = await self._working(kill.kind)
        working = [one for one in self._scene.crew.of(kill.kind) if one.name in owners]
        victim = working[int(kill.pick * len(working))]
        owned = owners[victim.name]
        victim.kill()
        killed = time.monotonic()
        before = await self._reached(kill.kind, owned)
        if not kill.stays_dead:
            await asyncio.sleep(AT_ONCE_SECONDS)
            victim.start()
        seconds = await self._until_moved({kill.kind: before}, since=killed)
        if victim.running is None:
            victim.start()
        await self._together(victim)
        return Pause(kill=kill, victim=victim.name, seconds=seconds)

    async def _server(self, kill: Kill) -> Pause:
        server = self._scene.servers[kill.kind]
        kinds = tuple(GROUPS) if kill.kind == "kafka" else ("index",)
        before = {kind: await self._reached(kind, self._all(kind)) for kind in kinds}
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(10 * kill.pick if kill.stays_dead else AT_ONCE_SECONDS)
        await asyncio.to_thread(server.start)
        seconds = await self._until_moved(before, since=time.monotonic())
        return Pause(kill=kill, victim=kill.kind, seconds=seconds)

    async def _working(self, kind: str) -> dict[str, frozenset[int]]:
        """By worker: the shards that it owns and has reached something in.

        Nothing goes on where nothing ever was: all feeds of one host lie in one shard. And of two
        registers one works: killing the other shows nothing.
        """
        async with asyncio.timeout(TAKEOVER_SECONDS):
            while True:
                there = await self._reached(kind, self._all(kind))
                owners = {
                    name: frozenset(one for one in owned if there.get(one))
                    for name, owned in (await self._owners(kind)).items()
                }
                if found := {name: owned for name, owned in owners.items() if owned}:
                    return found
                await asyncio.sleep(LOOK_SECONDS)

    async def _owners(self, kind: str) -> dict[str, frozenset[int]]:
        async with asyncio.timeout(TAKEOVER_SECONDS):
            while not (  # noqa: ASYNC110 - other processes, no event
                found := await asyncio.to_thread(self._scene.progress.owners, kind)
            ):
                await asyncio.sleep(LOOK_SECONDS)
        return found

    async def _reached(self, kind: str, partitions: Collection[int]) -> dict[int, int]:
        async with asyncio.timeout(TAKEOVER_SECONDS):
            while not (  # noqa: ASYNC110 - other processes, no event
                found := await asyncio.to_thread(self._scene.progress.reached, kind, partitions)
            ):
                await asyncio.sleep(LOOK_SECONDS)
        return found

    async def _together(self, victim: Worker) -> None:
        """Wait until who was started again is in its group."""
        try:
            async with asyncio.timeout(TAKEOVER_SECONDS):
                while (  # noqa: ASYNC110 - another process, no event
                    victim.name not in await self._owners(victim.kind)
                ):
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            self.absent.append(victim.name)

    async def _until_moved(
        self, before: dict[str, dict[int, int]], *, since: float
    ) -> float | None:
        """Seconds until work on some partition of each kind has gone on; none if it did not."""
        waiting = dict(before)
        while waiting and time.monotonic() - since < TAKEOVER_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            for kind, places in list(waiting.items()):
                after = await asyncio.to_thread(self._scene.progress.reached, kind, places)
                if moved(places, after):
                    del waiting[kind]
        return None if waiting else time.monotonic() - since

    def _all(self, kind: str) -> range:
        return range(self._scene.shell.log.partitions(GROUPS[kind][1]))


async def _concluded(scene: Scene, run: _Run) -> Findings:
    """Stop all stages in good order, and compare."""
    statuses = await scene.crew.terminate()
    audit = await scene.audited()
    findings = Findings(audit=audit, pauses=run.pauses, ended=scene.crew.ended)
    findings.differences += audit.differences
    findings.differences += [f"{pause.victim}'s work never went on" for pause in run.pauses
                             if pause.seconds is None]  # fmt: skip
    findings.differences += [f"{name} did not join its group again" for name in run.absent]
    findings.differences += [f"{name} ended with {status} in the end"
                             for name, status in statuses.items() if status]  # fmt: skip
    return findings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a plan, print its figures; 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_cluster", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--folder", type=Path, help="where to keep everything that is said")
    given = parser.parse_args(arguments)
    wanted = plan(seed=given.seed, kills=given.kills, items=given.items)
    print(f"seed {wanted.seed}: {given.kills} kills over {given.items} items", flush=True)
    files = load_servers()
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="wirewatch-crash-"))
        )
        folder.mkdir(parents=True, exist_ok=not given.folder)
        findings = asyncio.run(follow(wanted, folder, files, quick=False))
    _print(findings)
    return int(bool(findings.differences))


def _print(findings: Findings) -> None:
    print(f"{len(findings.pauses)} kills in {findings.seconds:g} s")
    for name, value in findings.audit.figures().items():
        print(f"{name:<32} {value}")
    for kind in KINDS:
        found = [one.seconds for one in findings.pauses
                 if one.kill.kind == kind and one.seconds is not None]  # fmt: skip
        if found:
            print(f"pause, {kind:<25} {min(found):.1f} to {max(found):.1f} s")
    for line in findings.ended:
        print(f"by itself: {line}")
    for difference in findings.differences[:50]:
        print(f"DIFFERENCE: {difference}")


if __name__ == "__main__":
    sys.exit(main())
