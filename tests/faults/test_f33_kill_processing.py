"""F33, K3 and K4: kill -9 before and after the one append of the tagger and of the register."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.log import NewRecord, Partition, topic_specs
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.records import StoryRecord
from tests.made_up_news import newsroom

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import os, sys
from pathlib import Path
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from processors import loop
from processors.worker import Registrar, Tagger

loop.BATCH = 9
point, turn = sys.argv[2], int(sys.argv[3])
seen = 0

def crash_point(name):
    global seen
    seen += name == point
    if name == point and seen == turn:
        os.kill(os.getpid(), 9)

folder = Path(sys.argv[1])
log = SqliteLog(folder / "log.sqlite")
quarantine = Quarantine(log, folder / "quarantine")
tagger = Tagger(log, quarantine=quarantine, crash_point=crash_point)
registrar = Registrar(log, quarantine=quarantine, crash_point=crash_point)
while tagger.step(0) + registrar.step(0):
    pass
log.close()
"""


def run(folder: Path, point: str, turn: int) -> int:
    command = [sys.executable, "-c", CHILD, str(folder), point, str(turn)]
    return subprocess.run(
        command, cwd=ROOT, check=False, env={**os.environ, "NO_COLOR": "1"}
    ).returncode


@pytest.mark.parametrize("point", ["K3", "K3-written", "K4", "K4-written"])
def test_f33_killed_around_a_write_nothing_is_lost_or_doubled(point: str, tmp_path: Path) -> None:
    made = newsroom(11, 40)
    log = SqliteLog(tmp_path / "log.sqlite")
    log.ensure_topics(topic_specs())
    log.append([NewRecord(topic="articles", key=s.article.id, value=encode(s)) for s in made])
    log.close()
    assert run(tmp_path, point, 2) == -9
    assert run(tmp_path, point, 1) == -9
    assert run(tmp_path, point, 99) == 0
    log = SqliteLog(tmp_path / "log.sqlite")
    try:
        tagged = log.read(Partition("tagged"), 0, max_records=999)
        assert [record.key for record in tagged] == [seen.article.id for seen in made]
        stories = log.read(Partition("stories"), 0, max_records=999)
        fresh = [
            story.article.id
            for story in (decode(StoryRecord, record.value or b"") for record in stories)
            if story.change == "new"
        ]
        assert sorted(fresh) == sorted({seen.article.id for seen in made})
        assert log.bounds(Partition("quarantine")) == (0, 0)
    finally:
        log.close()
