"""``run --sample``, as ``make run`` calls it: what somebody sees who has done nothing yet."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.running import Place, Running

FIRST_SECONDS = 30.0
"""The promise of the README, counted from the start of the command."""

pytestmark = pytest.mark.timeout(120)


def wait_for(running: Running, *wanted: str, seconds: float) -> float:
    """How long it takes until all of ``wanted`` stand in the output."""
    started = time.monotonic()
    while not all(one in running.output.read_text("utf-8") for one in wanted):
        assert running.process.poll() is None, running.said()
        assert time.monotonic() - started < seconds, running.output.read_text("utf-8")
        time.sleep(0.1)
    return time.monotonic() - started


def test_the_sample_shows_a_tag_a_hit_and_an_alert_within_half_a_minute(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    running = Running(place, "run", "--sample", "--port", "0")
    try:
        wait_for(running, "tagged ", "found ", "▌ Ceasefire talks:", seconds=FIRST_SECONDS)
        wait_for(running, "on http://127.0.0.1:", "in another terminal:", seconds=FIRST_SECONDS)
        sample = Place(folder=tmp_path, data_name="data/sample")
        found = sample.call("search", "topic:ceasefire-talks", "--json", "--size", "1")
        assert json.loads(found.stdout.splitlines()[0])["topics"]
    finally:
        status = asyncio.run(running.terminate())
    assert status == 0
    # Warnings only: the tour is what a newcomer reads.
    assert running.said() == ""


def test_every_start_of_the_sample_brings_news_again(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    for number in range(2):
        running = Running(place, "run", "--sample", "--json", "--no-web", number=number)
        try:
            wait_for(running, '"event":"tagged"', '"type":"article.matched"', seconds=60)
        finally:
            assert asyncio.run(running.terminate()) == 0, running.said()
        lines = running.output.read_text("utf-8").splitlines()
        assert all(json.loads(line) for line in lines)


def test_the_sample_never_touches_the_usual_data_folder(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    running = Running(place, "run", "--sample", "--no-web")
    try:
        wait_for(running, "tagged ", seconds=60)
    finally:
        asyncio.run(running.terminate())
    assert place.call("feeds", "list", "--json").stdout == ""
