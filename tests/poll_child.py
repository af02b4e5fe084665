"""A poller of its own process: ``python -m tests.poll_child BOOTSTRAP PREFIX NAME FOLDER HOST …``.

The last two are how many years its clock is ahead and the seconds between two polls of a feed.
Prints its health and its feeds as a line of JSON whenever they change; ends well at SIGTERM.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.events import log_to_stderr
from ingest.entry_store import EntryStore
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.politeness import HostSlots
from ingest.poll import Polling
from ingest.poll_stage import PollStage
from ingest.quarantine import Quarantine
from ingest.settings import FetchSettings, NetSettings, PollSettings
from tests.newsroom import InlineReader

SESSION_SECONDS = 3.0


async def _run(arguments: list[str]) -> None:
    bootstrap, prefix, name, folder, host, years, often = arguments
    seconds = float(often)
    log = KafkaLog(
        KafkaSettings(bootstrap=bootstrap, prefix=prefix, session_seconds=SESSION_SECONDS)
    )
    guard = Guard(NetSettings(allow=(host,)))
    slots = HostSlots(guard=guard)
    fetcher = Fetcher(guard=guard, settings=FetchSettings(user_agent=name), slots=slots)
    polling = Polling(
        entries=EntryStore(log),
        fetcher=fetcher,
        slots=slots,
        sandboxes=InlineReader(),
        quarantine=Quarantine(log, Path(folder) / "quarantine"),
        settings=PollSettings(
            min_seconds=seconds, default_seconds=seconds, max_seconds=1.5 * seconds
        ),
        connections=asyncio.Semaphore(8),
        clock=lambda: datetime.now(UTC) + timedelta(days=365 * int(years)),
        chance=random.random,
    )
    stage = PollStage(log, polling, lease_seconds=0.8 * SESSION_SECONDS)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    telling = asyncio.create_task(_tell(stage))
    try:
        await stage.run(stop)
    finally:
        telling.cancel()
        await fetcher.close()
        log.close()


async def _tell(stage: PollStage) -> None:
    last = ""
    while True:
        health = dataclasses.asdict(stage.health()) | {"finished": 0}
        feeds = sorted(feed.id for feed in stage.feeds())
        line = json.dumps(health | {"ids": feeds})
        if line != last:
            print(line, flush=True)
            last = line
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    log_to_stderr()
    asyncio.run(_run(sys.argv[1:]))
