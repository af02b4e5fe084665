"""Consecutive snapshots of real outlets, served one after the other at one address."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.loopback import page_server
from tests.running import Place, Running

pytestmark = pytest.mark.timeout(300)  # six runs of the command, each 3 s on two idle cores

OUTLETS = ("bbc", "nytimes", "nzherald", "rnz", "stuffnz", "wsj")
STEPS = 6
RUN_SECONDS = 120.0


class Ledger:
    """What was seen of each entry, by its own id: a reader of RSS that knows nothing of ours."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], tuple[str, ...]] = {}

    def read(self, outlet: str, file: Path) -> dict[str, int]:
        """New, edited and unchanged entries of a snapshot."""
        counts = {"articles": 0, "revisions": 0, "duplicates": 0}
        for item in ET.fromstring(file.read_bytes()).iter("item"):  # noqa: S314 - well known files
            said = tuple(
                (item.findtext(name) or "").strip() for name in ("title", "description", "link")
            )
            key = outlet, (item.findtext("guid") or said[2]).strip()
            before = self.seen.get(key)
            kind = "articles" if before is None else "revisions"
            counts["duplicates" if before == said else kind] += 1
            self.seen[key] = said
        return counts


def once(place: Place, *more: str) -> dict[str, Any]:
    running = Running(place, "run", "--once", "--json", *more)
    assert asyncio.run(running.ended(seconds=RUN_SECONDS)) == 0, running.said()
    totals: dict[str, Any] = json.loads(running.output.read_text())
    return totals


def test_edited_items_become_revisions_and_never_new_articles(
    shared_data: Path, tmp_path: Path
) -> None:
    series = shared_data / "feeds" / "gesab001_headlines" / "series"
    snapshots = {name: sorted((series / name).glob("*.xml")) for name in OUTLETS}
    if not all(snapshots.values()):
        pytest.skip("the evaluation data holds no series")
    ledger, pages = Ledger(), dict[str, Path]()
    expected, found = [], []
    with page_server(pages) as host:
        (tmp_path / "feeds.txt").write_text("".join(f"http://{host}/{one}\n" for one in OUTLETS))
        place = Place(folder=tmp_path, settings={"net.allow": host})
        for step in range(STEPS):
            pages.update({f"/{name}": snapshots[name][-STEPS:][step] for name in OUTLETS})
            counts = [ledger.read(name, pages[f"/{name}"]) for name in OUTLETS]
            expected.append({kind: sum(one[kind] for one in counts) for kind in counts[0]})
            totals = once(place, *(() if step else ("--feeds", str(tmp_path / "feeds.txt"))))
            found.append({kind: totals[kind] for kind in expected[-1]})
            assert totals["indexed"] == totals["articles"] + totals["revisions"]
        revised = place.call("search", "--json", "seen:>2000-01-01", "--size", "200")
    assert found == expected
    assert sum(one["revisions"] for one in expected) > 0
    shown = [json.loads(line) for line in revised.stdout.splitlines()]
    assert any(hit.get("revision", 0) > 1 for hit in shown)
