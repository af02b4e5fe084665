"""A first hour with Wirewatch: the sample outlets in files, polled once, then watched."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.newsroom import items_at, load_outlets, render
from tests.loopback import file_server
from tests.running import COMMAND, ROOT, Place, Running

WAIT_SECONDS = 30.0
AGO = timedelta(hours=3)
"""Long enough for every article of the sample to be out, and all of it news still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A data folder that was polled once and is watched by ``wirewatch run``."""

    place: Place
    site: Path
    host: str
    totals: dict[str, Any]
    running: Running

    def url(self, name: str) -> str:
        return f"http://{self.host}/{name}"

    def publish(self, name: str, body: str | bytes) -> str:
        """Put a file on the site; its URL."""
        (self.site / name).write_bytes(body.encode() if isinstance(body, str) else body)
        return self.url(name)

    def rows(self, *verb: str) -> list[dict[str, Any]]:
        """What a command says with ``--json``."""
        return rows(self.place, *verb)

    def says(self, *verb: str) -> str:
        """What a command says to a person."""
        return said(self.place, *verb)


def rows(place: Place, *verb: str) -> list[dict[str, Any]]:
    """What a command says with ``--json``."""
    return [json.loads(line) for line in said(place, *verb, "--json").splitlines()]


def said(place: Place, *verb: str) -> str:
    """What a command that works says on standard output."""
    done = place.call(*verb, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def given(place: Place, *verb: str, text: str, check: bool = True) -> str:
    """What a filter makes of ``text`` on its standard input."""
    done = subprocess.run(
        [sys.executable, *COMMAND, *place.arguments(*verb)],
        cwd=ROOT,
        env=place.environment(),
        input=text.encode(),
        capture_output=True,
        timeout=WAIT_SECONDS,
        check=check,
    )
    return done.stdout.decode()


def until(happened: Callable[[], Any]) -> Any:
    """What ``happened`` gives once it is true; fails after half a minute."""
    end = time.monotonic() + WAIT_SECONDS
    while not (found := happened()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found


@contextmanager
def first_hour(folder: Path) -> Iterator[Hour]:
    """The sample outlets on a site, in the feed list, polled once; then ``run`` beside the test."""
    site = folder / "site"
    site.mkdir()
    now = datetime.now(UTC)
    names = []
    for outlet in load_outlets():
        body, _ = render(outlet, items_at(outlet, start=now - AGO, now=now))
        names.append(outlet.path.strip("/").replace("/feed", ""))
        (site / names[-1]).write_bytes(body)
    with file_server(site) as host:
        place = Place(folder=folder, settings={"net.allow": host})
        (folder / "list.txt").write_text("".join(f"http://{host}/{name}\n" for name in names))
        to = f"--to=file:{folder}/truce.jsonl"
        place.call("subscriptions", "add", "truce", "topic:ceasefire-talks", to)
        once = place.call("run", "--once", "--feeds", str(folder / "list.txt"), "--json")
        running = Running(place, "run", "--no-web")
        try:
            asyncio.run(running.ready())
            yield Hour(
                place=place,
                site=site,
                host=host,
                totals=json.loads(once.stdout),
                running=running,
            )
        finally:
            status = asyncio.run(running.terminate())
        assert status == 0, running.said()
