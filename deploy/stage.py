"""One stage as one process of the distributed shell: ``wirewatch stage NAME``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import structlog

from deploy.folder import DataFolder
from deploy.settings import Settings
from deploy.signals import stop_on_signals
from deploy.stages import Loop, Stages
from deploy.starting import starting
from ingest.kafka_opening import need_distributed
from ingest.quarantine import Quarantine
from processors.stage_health import StageHealth, figures_of, watched
from processors.stage_page import serving_page

if TYPE_CHECKING:
    from deploy.assembly import Parts

StageName = Literal["poll", "tag", "group", "index", "alert"]

LEASE_OF_SESSION = 0.6
"""Less than the two thirds after which a member that is late with one heartbeat is still in."""

logger = structlog.get_logger(__name__)


LATE_SECONDS = 30.0
"""For an end in good order, which promises ten a loop; what hangs then is ended as a kill would."""

BROKEN = 70
"""Exit status of what was ended so: EX_SOFTWARE of sysexits.h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing that a stage's process does.

    Attributes:
        loop: Runs in a thread of its own.
        task: Else a coroutine, which ends when the event given to it is set.
        done: Records handled durably since the start.
        lag: Records that wait for this process: what others have is their affair.
        pause: Why it rests, as a sentence; empty while it works.
        figures: Gauges of its own, by name.
    """

    name: str
    loop: Loop | None = None
    task: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None
    done: Callable[[], int]
    lag: Callable[[], int] = lambda: 0
    pause: Callable[[], str] = lambda: ""
    figures: Callable[[], Mapping[str, float]] = dict


def run_stage(name: StageName, settings: Settings, folder: DataFolder, *, as_json: bool) -> int:
    """Run a stage until SIGTERM or SIGINT; the exit status.

    Raises:
        WirewatchError: why the stage had to stop.
    """
    need_distributed()
    if name == "tag":
        return _tag(settings, folder)
    asyncio.run(_run(name, settings, folder, as_json=as_json))
    return 0


def _tag(settings: Settings, folder: DataFolder) -> int:
    """Faust has an event loop of its own, in the main thread."""
    with starting():
        from ingest.kafka_opening import open_kafka_log
        from processors.agents import run_tagging
        from processors.tagging_process import TaggingProcess

    with (
        contextlib.closing(open_kafka_log(settings.log)) as log,
        contextlib.closing(TaggingProcess(settings.parse)) as process,
    ):
        return run_tagging(
            log,
            settings.log,
            quarantine=Quarantine(log, folder.quarantine),
            process=process,
            stage=settings.stage,
        )


async def _run(name: StageName, settings: Settings, folder: DataFolder, *, as_json: bool) -> None:
    with starting():
        from deploy.assembly import Parts

    stop = asyncio.Event()
    stop_on_signals(stop)
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        parts = Parts(settings, folder, stack, as_json=as_json)
        works = _MAKERS[name](parts)
        stages = Stages(on_failure=partial(loop.call_soon_threadsafe, stop.set))
        page = _Page([_health(work, settings) for work in works])
        stack.enter_context(serving_page(page, settings.stage))
        for work, health in zip(works, page.healths, strict=True):
            look = partial(_looked, work, health, parts)
            stack.enter_context(watched(health, look, failed=partial(_fail, stages, work.name)))
            if work.loop is not None:
                stages.start(work.name, work.loop)
        logger.info("running", stage=name, kafka=settings.log.bootstrap)
        tasks = [asyncio.create_task(one.task(stop)) for one in works if one.task is not None]
        tasks.append(asyncio.create_task(_when(stop)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end_by_force()
            stop.set()
            await asyncio.to_thread(stages.stop)
            await asyncio.gather(*tasks)
        if stages.failure is not None:
            raise stages.failure


class _Page:
    """What a stage says of all that its process does."""

    def __init__(self, healths: Sequence[StageHealth]) -> None:
        self.healths = healths

    def fault(self) -> str:
        """The first sentence of what does not work now; empty when all does."""
        return next((fault for one in self.healths if (fault := one.fault())), "")

    def metrics(self) -> bytes:
        """The figures in Prometheus' text form."""
        return figures_of(self.healths)


def _health(work: Work, settings: Settings) -> StageHealth:
    return StageHealth(
        work.name,
        silent_seconds=settings.stage.silent_seconds,
        pause=work.pause,
        figures=work.figures,
    )


def _fail(stages: Stages, name: str, error: Exception) -> None:
    """End the process because of ``error``, also where what hangs does not let it."""
    end_by_force()
    stages.fail(name, error)


def end_by_force(seconds: float = LATE_SECONDS) -> None:
    """See to it that this process ends: what hangs is not acknowledged and is done again."""
    timer = threading.Timer(seconds, os._exit, (BROKEN,))
    timer.daemon = True
    timer.start()


async def _when(stop: asyncio.Event) -> None:
    await stop.wait()


def _looked(work: Work, health: StageHealth, parts: Parts) -> int:
    """Note what was done and set aside since the last look; how much waits.

    Raises:
        ForeignStoreError: the log came back empty.
    """
    parts.log.identity()
    health.quarantined = parts.quarantine.made
    done = work.done()
    if done > health.records:
        health.acked(done - health.records)
    return work.lag()


def _poll(parts: Parts) -> list[Work]:
    from ingest.poll_stage import PollStage

    lease = _lease(parts.settings)
    stage = PollStage(parts.log, parts.polling, lease_seconds=lease)

    def pause() -> str:
        health = stage.health()
        return health.pause or health.clock

    def figures() -> dict[str, float]:
        health = stage.health()
        offset = health.clock_offset_seconds
        return {"feeds": health.feeds, "owned": health.owned, "clock_offset_seconds": offset}

    return [
        Work(
            name="poll",
            task=stage.run,
            done=lambda: stage.health().finished,
            lag=lambda: stage.health().overdue,
            pause=pause,
            figures=figures,
        )
    ]


def _group(parts: Parts) -> list[Work]:
    loop = parts.registrar.loop
    return [
        Work(
            name="group",
            loop=loop,
            done=lambda: loop.done,
            lag=loop.lag,
            pause=lambda: _waits(loop.delay_seconds),
        )
    ]


def _index(parts: Parts) -> list[Work]:
    indexer, projector = parts.indexer, parts.projector
    return [
        Work(
            name="index",
            loop=indexer,
            done=lambda: indexer.done,
            lag=indexer.waiting,
            pause=lambda: _waits(indexer.delay_seconds),
        ),
        Work(
            name="lists",
            loop=projector,
            done=lambda: projector.done,
            lag=projector.lag,
            pause=lambda: _waits(projector.delay_seconds),
        ),
    ]


def _alert(parts: Parts) -> list[Work]:
    from search.alert_stage import AlertStage

    stage = AlertStage(
        parts.log,
        settings=parts.alert_settings,
        quarantine=parts.quarantine,
        guard=parts.guard,
        secrets=parts.vault,
        mail=parts.settings.mail,
        lease_seconds=_lease(parts.settings),
        as_json=parts.as_json,
        index=lambda: parts.index,
    )
    return [
        Work(
            name="alert",
            task=stage.run,
            done=lambda: stage.done,
            lag=lambda: stage.health().lag,
            pause=lambda: stage.health().pause,
            figures=lambda: {"owned": len(stage.held())},
        )
    ]


def _waits(delay_seconds: float) -> str:
    """The sentence of a loop whose store refuses it now; its log lines say why."""
    return "The log or the index cannot be written now; it is tried again." if delay_seconds else ""


def _lease(settings: Settings) -> float:
    """Without a sign of life for so long nothing is ours: before the group gives it to others."""
    return settings.log.session_seconds * LEASE_OF_SESSION


_MAKERS: Mapping[str, Callable[[Parts], list[Work]]] = {
    "poll": _poll,
    "group": _group,
    "index": _index,
    "alert": _alert,
}
