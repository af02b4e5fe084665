"""A register as a process: ``python -m tests.register_child KAFKA PREFIX FOLDER POINT DONE``.

It kills itself once DONE records are done, at ``POINT``: ``K4`` before a batch is written,
``records`` between its records and its commit, ``K4-written`` after both.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import processors.loop
from deploy.events import log_to_stderr
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.quarantine import Quarantine
from processors.settings import StoriesSettings
from processors.worker import Registrar

SESSION_SECONDS = 3.0


def main(kafka: str, prefix: str, folder: str, point: str, done: str) -> None:
    """Decide until killed."""
    log_to_stderr()
    processors.loop.BATCH = 7
    log = KafkaLog(KafkaSettings(bootstrap=kafka, prefix=prefix, session_seconds=SESSION_SECONDS))

    def crash_point(name: str) -> None:
        here = name == ("K4" if point == "records" else point)
        if not here or registrar.loop.done < int(done):
            return
        if point == "records":
            log.append(registrar.loop._made)
        os.kill(os.getpid(), signal.SIGKILL)

    registrar = Registrar(
        log,
        StoriesSettings(window_hours=6),
        quarantine=Quarantine(log, Path(folder)),
        crash_point=crash_point,
    )
    registrar.run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
