"""Processor time of processes and of threads, as Linux counts it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SCHEDULED, _OF_A_THREAD = 2, 4
"""Bits of a clock's number, from the kernel's ``posix-timers.h``."""


def process_seconds(pids: Iterable[int]) -> float:
    """What the processes took, with those of their children that have ended."""
    return sum(map(_of_process, pids))


def _of_process(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return sum(map(int, fields[11:15])) / _TICKS  # utime, stime, and those of children


def thread_seconds(native_id: int) -> float:
    """What a thread of this process took; 0 where it has ended."""
    try:
        return time.clock_gettime((~native_id << 3) | _OF_A_THREAD | _SCHEDULED)
    except OSError:
        return 0.0
