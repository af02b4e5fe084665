"""A tagging worker as a process: ``python -m tests.tagging_worker GIVEN``, GIVEN as JSON.

``kafka``, ``stage``: settings. ``folder``: of the quarantine. ``target``: what tags. ``deed``: what
happens at the ``times``-th call of the crash point ``point``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.events import log_to_stderr
from ingest.errors import WirewatchError
from ingest.kafka_log import KafkaLog
from ingest.kafka_settings import KafkaSettings
from ingest.quarantine import Quarantine
from ingest.settings import ParseSettings
from processors.agents import run_tagging
from processors.settings import StageSettings
from processors.tagging_process import TARGET, TaggingProcess


def main(given: dict[str, Any]) -> int:
    """Run one worker; the exit status as the command's."""
    log_to_stderr()
    kafka = KafkaSettings(**given["kafka"])
    process = TaggingProcess(ParseSettings(seconds=2), target=given.get("target", TARGET))
    try:
        log = KafkaLog(kafka)
        try:
            return run_tagging(
                log,
                kafka,
                quarantine=Quarantine(log, Path(given["folder"])),
                process=process,
                stage=StageSettings(**given.get("stage", {})),
                crash_point=_deed(given),
            )
        finally:
            process.close()
            log.close()
    except WirewatchError as error:
        print(error.sentence, error.hint, file=sys.stderr)
        return 1


def _deed(given: dict[str, Any]) -> Callable[[str], None]:
    left = [int(given.get("times", 1))]

    def at(name: str) -> None:
        left[0] -= name == given.get("point")
        if name == given.get("point") and left[0] == 0:
            _deeds[given["deed"]]()

    return at


def _kill() -> None:
    time.sleep(1.5)  # long enough for a commit of what was acknowledged too early
    os.kill(os.getpid(), signal.SIGKILL)


def _break() -> None:
    raise ZeroDivisionError("nobody foresaw this")


def _hang() -> None:
    time.sleep(600)


def _dawdle() -> None:
    print("dawdling", file=sys.stderr, flush=True)
    time.sleep(1.5)


_deeds = {"kill": _kill, "break": _break, "hang": _hang, "dawdle": _dawdle}

if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
