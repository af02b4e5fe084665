"""What ``wirewatch parse`` makes of a whole folder of documents, as tables in Markdown.

Run by hand on Linux: ``python -m tests.quality.parse_corpus FOLDER``, where FOLDER holds a
``MANIFEST.tsv`` with the columns ``file`` and ``kind``. The command reads all of them at once, its
memory and that of its readers looked at every 20 ms; then one reader reads each again, timed.
"""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.parse_files import READER
from ingest.errors import WirewatchError
from ingest.identity import feed_id
from ingest.reading import Reading, header
from ingest.sandbox import Sandbox
from tests.running import COMMAND

LOOK_SECONDS: Final = 0.02
SLOWEST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The lines of one call of the command, its exit status and its greatest memory."""

    lines: list[dict[str, Any]]
    status: int
    peak_bytes: int
    seconds: float


def parse_all(files: list[Path]) -> Parsed:
    began = time.perf_counter()
    peak = 0
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, *COMMAND, "parse", *map(str, files)]
        process = subprocess.Popen(command, stdout=output)
        while process.poll() is None:
            peak = max(peak, sum(map(resident_bytes, tree(process.pid))))
            time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - began
        output.seek(0)
        lines = [json.loads(line) for line in output]
    return Parsed(lines=lines, status=process.returncode, peak_bytes=peak, seconds=seconds)


def tree(root: int) -> list[int]:
    """``root`` and all below it."""
    parents = {int(one.name): parent(one) for one in Path("/proc").iterdir() if one.name.isdigit()}
    found = [root]
    for pid in found:
        found += (child for child, above in parents.items() if above == pid)
    return found


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def resident_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


async def timed(files: list[Path]) -> list[tuple[float, Path]]:
    """Seconds of each file in the sandbox, the slowest first."""
    sandbox = Sandbox(READER)
    found = []
    try:
        for file in files:
            reading = Reading(url="", feed_id=feed_id(str(file)), fetched=datetime.now(UTC))
            body = file.read_bytes()
            began = time.perf_counter()
            try:
                await sandbox.call(header(reading), body)
            except WirewatchError as error:
                if error.code in {"too-slow", "out-of-memory", "crashed"}:
                    print(f"{file}: {error.code}")
            found.append((time.perf_counter() - began, file))
    finally:
        await sandbox.close()
    return sorted(found, reverse=True)


def main(folder: Path) -> None:
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as rows:
        kinds = {
            str(folder / row["file"]): row["kind"] for row in csv.DictReader(rows, delimiter="\t")
        }
    files = [Path(name) for name in kinds]
    parsed = parse_all(files)
    entries = Counter(line["file"] for line in parsed.lines if "error" not in line)
    refused = {line["file"]: line["code"] for line in parsed.lines if "error" in line}
    print("| kind | files | with entries | entries | without entries | refused, by code |")
    print("|---|---|---|---|---|---|")
    for kind in [*sorted(set(kinds.values())), "all"]:
        names = [name for name, one in kinds.items() if kind in {one, "all"}]
        codes = Counter(refused[name] for name in names if name in refused)
        told = ", ".join(f"`{code}` {count}" for code, count in sorted(codes.items()))
        read = [entries[name] for name in names if entries[name]]
        silent = len(names) - len(read) - codes.total()
        print(f"| {kind} | {len(names):,} | {len(read):,} | {sum(read):,} | {silent:,} | {told} |")
    print(
        f"\nexit {parsed.status}, {parsed.seconds:.1f} s, at most "
        f"{parsed.peak_bytes / 1e6:.0f} MB resident in all processes\n"
    )
    for seconds, file in asyncio.run(timed(files))[:SLOWEST]:
        print(f"{seconds:.2f} s  {file.relative_to(folder)}  {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
