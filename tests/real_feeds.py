"""The real feeds of the evaluation data as several sites of this machine serve them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.loopback import file_server

KINDS = {"real-news", "real-other"}
ADDRESSES = tuple(f"127.0.0.{number}" for number in range(1, 17))
"""A host each, so that pollers share them; all of 127.0.0.0/8 is this machine (Linux)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Where the feeds are served, and the hosts that must be allowed for it."""

    urls: tuple[str, ...]
    hosts: tuple[str, ...]


def real_files(feeds: Path) -> list[str]:
    """The files of real feeds below ``feeds``, by the list that comes with them."""
    with (feeds / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return [row["file"] for row in rows if row["kind"] in KINDS]


@contextmanager
def served(feeds: Path, files: Sequence[str]) -> Iterator[Sites]:
    """``files`` in turn on each of the hosts."""
    with ExitStack() as stack:
        hosts = [stack.enter_context(file_server(feeds, address=one)) for one in ADDRESSES]
        urls = tuple(
            f"http://{hosts[number % len(hosts)]}/{quote(file)}"
            for number, file in enumerate(files)
        )
        yield Sites(urls=urls, hosts=tuple(hosts))
