"""The benchmarks, one after the other: ``python -m tests.benchmarks``, or ``make bench``.

``python -m tests.benchmarks cluster`` runs the one with both servers, which the list leaves out.
Each prints its figures beside its bars; exit status 1 where one misses.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("bench_matching", "bench_search", "bench_end_to_end", "bench_latency")
ROOT = Path(__file__).resolve().parents[2]


def machine() -> str:
    """What the figures were measured on."""
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else cores
    return (
        f"{usable} of {cores} cores, {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> int:
    """Run them; 1 where one misses a bar."""
    print(machine(), flush=True)
    missed = []
    for name in [f"bench_{one}" for one in sys.argv[1:]] or BENCHMARKS:
        print(f"\n{name}", flush=True)
        # A process each: no run leaves memory or threads to the next.
        command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            missed.append(name)
    print(f"\n{'all bars are met' if not missed else 'missed: ' + ', '.join(missed)}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
