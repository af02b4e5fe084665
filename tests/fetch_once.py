"""Fetches one URL in a process of its own and prints what it took, as JSON.

    python tests/fetch_once.py URL HOST:PORT

A process of its own, because the peak of the resident memory is kept for a process's whole life.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from pathlib import Path

from ingest.errors import FeedError
from ingest.fetch import Fetcher
from ingest.guard import Guard
from ingest.settings import FetchSettings, NetSettings


async def main(url: str, allowed: str) -> None:
    fetcher = Fetcher(guard=Guard(NetSettings(allow=(allowed,))), settings=FetchSettings())
    started = time.monotonic()
    outcome = {"code": "", "sentence": ""}
    try:
        await fetcher.fetch(url)
    except FeedError as error:
        outcome = {"code": error.code, "sentence": error.sentence}
    finally:
        await fetcher.close()
    print(json.dumps(outcome | {"peak": peak_bytes(), "seconds": time.monotonic() - started}))


def peak_bytes() -> int:
    """The most memory that this process has held.

    Linux hands ``ru_maxrss`` on through fork and exec, so a large test run would be measured
    instead; ``VmHWM`` is this program's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
