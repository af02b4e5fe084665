"""F32, the poller's part: a full disk pauses polling; it resumes by itself and loses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import asyncio, json, resource, sys
from pathlib import Path
from ingest.log import NewRecord
from ingest.settings import PollSettings
from tests.newsroom import PollStage, until
from tests.newsserver import NewsServer, item, rss

async def main():
    often = PollSettings(min_seconds=0.05, default_seconds=0.05, max_seconds=0.1)
    folder = Path(sys.argv[1])
    async with NewsServer() as site, PollStage(folder, site.host, settings=often) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        site.answer("/rss", rss(item("1", "First", link="https://harbour.example/1")), etag='"1"')
        stop = asyncio.Event()
        running = asyncio.create_task(stage.poller.run(stop))
        await until(lambda: len(stage.sightings()) == 1)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        site.answer("/rss", rss(item("2", "Second", link="https://harbour.example/2")), etag='"2"')
        await until(lambda: stage.poller.pause)
        paused, asked = stage.poller.pause, site.total()
        saved = stage.state(feed).etag
        await asyncio.sleep(0.5)
        asked_meanwhile = site.total() - asked
        readable = len(stage.sightings())
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await until(lambda: len(stage.sightings()) == 2, seconds=40)
        await until(lambda: site.total() > asked + 2)
        stop.set()
        await running
        print(json.dumps({
            "paused": paused, "saved": saved, "asked": asked_meanwhile, "readable": readable,
            "titles": stage.titles(), "pause": stage.poller.pause, "etag": stage.state(feed).etag,
        }))

asyncio.run(main())
"""


def test_f32_polling_pauses_on_a_full_disk_and_resumes_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["paused"]
    assert found["saved"] == '"1"', "no validator is saved before its articles"
    assert found["asked"] == 0
    assert found["readable"] == 1
    assert found["titles"] == ["First", "Second"]
    assert (found["pause"], found["etag"]) == ("", '"2"')
