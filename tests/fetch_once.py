"""Fetches one URL in a process of its own and prints what it took, as JSON.

    python tests/fetch_once.py URL HOST:PORT

A process of its own, because the peak of the resident memory is kept for a process's whole life.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    print(json.dumps(outcome | {"peak": peak_bytes, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
