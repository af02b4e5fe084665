"""``wirewatch`` with an account of its processor time: which library or part of ours took it.

``python -m tests.benchmarks.cpu_shares FILE stage tag`` writes seconds by part into FILE at the
end. A thread of its own looks fifty times a second where every other thread is, and books what
that thread took since the last look on the innermost part that stands in its stack.
"""

from __future__ import annotations

import atexit
import json
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

from tests.benchmarks.processor_time import thread_seconds

LOOK_SECONDS = 0.02
PARTS = (
    ("faust", ("faust", "mode", "aiokafka")),
    ("kafka-python", ("kafka",)),
    ("elasticsearch-py", ("elasticsearch", "elastic_transport", "urllib3")),
    ("our way to Kafka", ("ingest.kafka_", "processors.agent")),
    ("our way to Elasticsearch", ("search.elastic_", "search.projections")),
    ("core", ("ingest", "processors", "search", "deploy")),
)
START, REST = "start", "rest"


def part_of(frame: FrameType | None) -> str:
    """Whose work ``frame`` is: the innermost known part; ``start`` below any import."""
    found = ""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("importlib._bootstrap"):
            return START
        found = found or next((part for part, names in PARTS if module.startswith(names)), "")
        frame = frame.f_back
    return found or REST


class Account:
    """Seconds by part, kept by a thread of its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._known: dict[int, float] = {}

    def start(self) -> None:
        threading.Thread(target=self._run, name="account", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            self._look(sys._current_frames())

    def _look(self, frames: dict[int, FrameType]) -> None:
        for thread in threading.enumerate():
            if thread is threading.current_thread() or thread.native_id is None:
                continue
            now = thread_seconds(thread.native_id)
            took = now - self._known.get(thread.native_id, 0.0)
            self._known[thread.native_id] = now
            if took > 0:
                self.seconds[part_of(frames.get(thread.ident or 0))] += took


def main() -> int:
    """Run the command; its exit status."""
    account = Account()
    report = Path(sys.argv.pop(1))
    atexit.register(lambda: report.write_text(json.dumps(account.seconds)))
    account.start()
    from deploy.cli import main as wirewatch  # noqa: PLC0415  the start counts too

    return wirewatch()


if __name__ == "__main__":
    sys.exit(main())
