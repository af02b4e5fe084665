"""Whether this machine has the memory that a server needs."""

from __future__ import annotations

from pathlib import Path

from ingest.errors import UnavailableError

_MEMINFO = Path("/proc/meminfo")
_MIB = 1 << 20


def need_memory(name: str, needed_bytes: int, available_bytes: int | None = None) -> None:
    """Nothing, where there is enough or nobody can tell. Raises UnavailableError where not."""
    available = free_bytes() if available_bytes is None else available_bytes
    if available is not None and available < needed_bytes:
        free, needed = available // _MIB, needed_bytes // _MIB
        raise too_little(name, f"{needed} MB are needed, {free} MB are free")


def too_little(name: str, facts: str) -> UnavailableError:
    """The error to raise."""
    return UnavailableError(
        f"{name}: {facts}",
        sentence=f"There is not enough memory for {name}: {facts}.",
        hint="Close other programs, or run it on a larger machine.",
        code="memory",
    )


def free_bytes() -> int | None:
    """Memory and swap that a new process could get; None where the system does not say."""
    try:
        lines = _MEMINFO.read_text("ascii").splitlines()
    except OSError:  # macOS
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return sizes.get("MemAvailable", 0) + sizes.get("SwapFree", 0)
