"""``wirewatch run`` that kills itself: ``python -m tests.crash_child POINT TIMES FEEDS --data …``.

At the ``TIMES``-th call of the crash point ``POINT``; with ``-1`` never.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import threading
from pathlib import Path

from deploy.cli.context import Context
from deploy.embedded import Embedded
from deploy.events import log_to_stderr


class Deadly:
    """A crash point; counts over all threads."""

    def __init__(self, name: str, times: int) -> None:
        self._name = name
        self._left = times
        self._turn = threading.Lock()

    def __call__(self, name: str) -> None:
        if name != self._name:
            return
        with self._turn:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


async def _run(given: argparse.Namespace) -> None:
    context = Context(config=None, data=Path(given.data), overrides=tuple(given.set))
    settings = context.settings()
    folder = context.folder(settings)
    deadly = Deadly(given.point, given.times)
    with folder.lock():
        async with Embedded.opened(settings, folder, crash_point=deadly) as shell:
            shell.feeds.import_list(given.list, name="feeds")
            await shell.run(asyncio.Event())


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_child", description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("point")
    parser.add_argument("times", type=int)
    parser.add_argument("feeds")
    log_to_stderr()
    given = parser.parse_args()
    given.list = Path(given.feeds).read_text()
    asyncio.run(_run(given))


if __name__ == "__main__":
    main()
