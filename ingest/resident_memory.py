"""How much memory a process really holds; for systems where RLIMIT_AS does not bind (macOS)."""

from __future__ import annotations

import asyncio
import sys

RLIMIT_AS_BINDS = sys.platform == "linux"

CHECK_SECONDS = 0.25
"""A check starts ``ps``, some 5 ms; most calls are over before the first."""


async def wait_for_excess(pid: int, *, limit_bytes: int) -> None:
    """Return when the process ``pid`` holds more than ``limit_bytes``; or never."""
    held = 0
    while held <= limit_bytes:
        await asyncio.sleep(CHECK_SECONDS)
        held = await resident_bytes(pid)


async def resident_bytes(pid: int) -> int:
    """Bytes of memory that ``pid`` holds; 0 where there is no such process."""
    process = await asyncio.create_subprocess_exec(
        "ps", "-o", "rss=", "-p", str(pid), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return int(output.strip() or 0) * 1024
