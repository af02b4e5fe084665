"""Tagging as a Faust agent: a process for each worker, as many as ``articles`` has partitions.

At least once: records are acknowledged in order, after all that they led to is in the log. Faust
0.15.3 loses records where an agent raises, runs concurrently, or decodes; so ours does none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import faust
import structlog

from ingest.errors import UnavailableError
from ingest.kafka_names import Names
from ingest.kafka_settings import KafkaSettings
from ingest.log import Log, NewRecord, Record
from ingest.quarantine import Quarantine
from processors.agent_app import faust_app
from processors.agent_records import Waiting, record_of
from processors.agent_worker import AgentWorker, log_as_events
from processors.back_off import back_off
from processors.settings import StageSettings
from processors.stage_health import StageHealth, watched
from processors.stage_page import serving_page
from processors.tagging import Tagging
from processors.tagging_process import MAX_RECORDS, TaggingProcess
from processors.work import Work

GROUP = "tag"
ARTICLES = "articles"

WITHIN_SECONDS = 0.05
"""A batch is closed after so long: it may cost an alert no more than that."""

Made = TypeVar("Made")

_events = structlog.get_logger(__name__)


class TaggingAgent:
    """Takes batches of ``articles`` from Faust, writes ``tagged``, then acknowledges."""

    def __init__(
        self,
        log: Log,
        *,
        names: Names,
        tagging: Tagging,
        quarantine: Quarantine,
        health: StageHealth,
        worker: AgentWorker,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._names = names
        self._tagging = tagging
        self._work = Work(GROUP, tagging.work, quarantine=quarantine)
        self._health = health
        self._worker = worker
        self._crash_point = crash_point

    def join(self, app: faust.App) -> faust.types.AgentT[Any]:
        """Make this an agent of ``app``: one for all partitions, which come in order."""
        articles = app.topic(self._names.topic(ARTICLES), key_type=bytes, value_type=bytes)
        return app.agent(articles, concurrency=1, name=GROUP)(self.run)

    async def run(self, stream: Any) -> None:
        """Work until cancelled. Never raises: Faust would acknowledge what it was about."""
        try:
            async for events in stream.noack_take(MAX_RECORDS, within=WITHIN_SECONDS):
                async with self._worker.hand:
                    await self._carry(events)
                    for event in events:
                        await stream.ack(event)
                    self._health.acked(len(events))
        except Exception as error:  # noqa: BLE001 - ends the process
            self._worker.fail(error)
            await asyncio.Event().wait()  # until the end, which cancels this

    async def _carry(self, events: Sequence[Any]) -> None:
        records = [record_of(event, self._names) for event in events]
        made = await self._patiently(lambda: self._made(records))
        await self._patiently(lambda: self._write(made))

    def _made(self, records: Sequence[Record]) -> list[NewRecord]:
        self._tagging.begin(records)
        made: list[NewRecord] = []
        for record in records:
            made += self._work.made(record)
            self._health.busy()
        self._health.quarantined = self._work.quarantined
        return made

    def _write(self, made: Sequence[NewRecord]) -> None:
        self._crash_point("K3")
        self._log.append(made)
        self._crash_point("K3-written")

    async def _patiently(self, work: Callable[[], Made]) -> Made:
        """The result of ``work``, done in a thread, again and again while a store is away."""
        delay = 0.0
        while True:
            try:
                return await asyncio.to_thread(work)
            except UnavailableError as error:
                delay = back_off(delay)
                _events.warning(
                    "stage waits",
                    stage=GROUP,
                    reason=error.sentence,
                    next_try_seconds=delay,
                )
            await asyncio.sleep(delay)


def run_tagging(
    log: Log,
    kafka: KafkaSettings,
    *,
    quarantine: Quarantine,
    process: TaggingProcess,
    stage: StageSettings | None = None,
    crash_point: Callable[[str], None] = lambda _: None,
) -> int:
    """Tag until SIGTERM or SIGINT; the exit status. For the main thread of a process of its own.

    ``log`` is the KafkaLog that ``kafka`` describes; the caller closes it, and ``process``.

    Raises:
        NewerSchemaError: a record or a topic was made by a newer version.
        ForeignStoreError: ``articles`` ends before what was already tagged.
        StoreError: Kafka refuses something, or a part of Faust is missing.
        UnavailableError: Kafka is not reachable at the start.
        UsageError: the port of the health page is in use.
    """
    stage = stage or StageSettings()
    log_as_events()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    names = Names(kafka.prefix)
    app = faust_app(kafka, GROUP)
    health = StageHealth(GROUP, silent_seconds=stage.silent_seconds)
    worker = AgentWorker(app, loop=loop)
    with serving_page(health, stage):
        tagging = Tagging(log, process)
        tagging.warm_up()
        agent = TaggingAgent(
            log,
            names=names,
            tagging=tagging,
            quarantine=quarantine,
            health=health,
            worker=worker,
            crash_point=crash_point,
        )
        agent.join(app)
        lag = Waiting(log, app, names, group=GROUP, topic=ARTICLES)
        health.look(lag.count)  # a log that is not ours is refused before Faust starts
        with watched(health, lag.count, failed=worker.fail):
            return worker.run()
