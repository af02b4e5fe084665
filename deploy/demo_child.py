"""``python -m deploy.demo_child ARGUMENTS``: a command of ours that ends with its parent.

Its standard input is a pipe that nobody writes to; it closes when the parent ends, however that
is. A parent killed by ``kill -9`` leaves no stage behind.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from deploy.cli import main


def _follow_the_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_follow_the_parent, daemon=True).start()
    sys.exit(main(sys.argv[1:]))
