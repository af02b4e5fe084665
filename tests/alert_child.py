"""An alert worker of its own: ``python -m tests.alert_child BOOTSTRAP PREFIX FOLDER POINT``.

Prints its shards as a line of JSON whenever they change; ends well at SIGTERM. At the first crash
point of the name ``POINT`` it stops, as a machine that hangs: SIGCONT wakes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from deploy.events import log_to_stderr
from ingest.guard import Guard
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.quarantine import Quarantine
from ingest.settings import NetSettings
from search.alert_settings import AlertSettings
from search.alert_stage import AlertStage
from search.sealed_secrets import SealedSecrets

SESSION_SECONDS = 3.0


class Hang:
    """A crash point that stops the process once."""

    def __init__(self, point: str) -> None:
        self._point = point

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._point = ""
            os.kill(os.getpid(), signal.SIGSTOP)


async def _run(arguments: list[str]) -> None:
    bootstrap, prefix, folder, point = arguments
    log = KafkaLog(
        KafkaSettings(bootstrap=bootstrap, prefix=prefix, session_seconds=SESSION_SECONDS)
    )
    stage = AlertStage(
        log,
        settings=AlertSettings(),
        quarantine=Quarantine(log, Path(folder) / f"quarantine-{os.getpid()}"),
        guard=Guard(NetSettings(allow=("127.0.0.1:*",))),
        secrets=SealedSecrets(str(Path(folder) / "key")),
        lease_seconds=0.8 * SESSION_SECONDS,
        crash_point=Hang(point),
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    telling = asyncio.create_task(_tell(stage))
    try:
        await stage.run(stop)
    finally:
        telling.cancel()
        log.close()


async def _tell(stage: AlertStage) -> None:
    last = ""
    while True:
        line = json.dumps({"held": sorted(stage.held())})
        if line != last:
            print(line, flush=True)
            last = line
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    log_to_stderr()
    asyncio.run(_run(sys.argv[1:]))
