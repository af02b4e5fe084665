"""Lines appended to files: in order, all or none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search.line_files import LineFiles, append_lines

FULL = """
import resource, sys
from pathlib import Path
from search.line_files import append_lines

resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    append_lines(Path(sys.argv[1]), ["b" * 40, "c" * 40, "d" * 40])
except OSError as error:
    print(error.strerror)
"""


async def test_lines_stand_in_the_order_of_asking(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    with ThreadPoolExecutor(2) as threads:
        files = LineFiles(threads)
        asked = [files.append(path, str(number)) for number in range(200) for path in (one, other)]
        await asyncio.gather(*asked)
    for path in (one, other):
        assert path.read_text().splitlines() == [str(number) for number in range(200)]


async def test_who_waits_for_a_file_that_cannot_be_written_gets_the_reason(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        files = LineFiles(threads)
        asked = [files.append(tmp_path, str(number)) for number in range(3)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(error) for error in found] == [IsADirectoryError] * 3
        await files.append(tmp_path / "file", "{}")  # the next is not harmed
    assert (tmp_path / "file").read_text() == "{}\n"


async def test_a_line_whose_waiter_went_away_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    with ThreadPoolExecutor(1) as threads:
        files = LineFiles(threads)
        leaving = asyncio.create_task(files.append(path, "first"))
        staying = asyncio.create_task(files.append(path, "second"))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
    assert "second" in path.read_text().splitlines()
    with pytest.raises(asyncio.CancelledError):
        await leaving


def test_of_lines_that_do_not_fit_none_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    append_lines(path, ["a" * 40])
    found = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "File too large"
    assert path.read_text() == "a" * 40 + "\n"
