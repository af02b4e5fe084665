"""F33, K5: kill -9 around the index's commit; index and checkpoint always say the same."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingest.log import Partition
from processors.query import parse
from tests.search.test_indexer import Room
from tests.story_records import stories

ROOT = Path(__file__).resolve().parents[2]
KILLS = 6
STORIES = Partition("stories")

CHILD = """
import os, sys
from pathlib import Path
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from search import indexer
from search.tantivy_index import TantivyIndex

folder, point = Path(sys.argv[1]), sys.argv[2]
indexer.MAX_BATCH = 40

def crash_point(name):
    if name == point:
        os.kill(os.getpid(), 9)

log = SqliteLog(folder / "log.sqlite")
one = indexer.Indexer(
    log,
    TantivyIndex(folder / "index"),
    quarantine=Quarantine(log, folder / "quarantine"),
    crash_point=crash_point,
)
os.write(1, b"go")
while one.step(timeout_seconds=0) or point == "":
    pass
"""


def index_until_killed(folder: Path, point: str, seconds: float = 30.0) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), point], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as output:
        output.read(2)
        timer = threading.Timer(seconds, child.kill)
        timer.start()
    assert child.wait(40) == -9
    timer.cancel()


def told(folder: Path, count: int) -> None:
    room = Room(folder)
    room.tell(*stories(count))
    room.close()


@pytest.mark.parametrize("point", ["K5", "K5-written"])
def test_f33_a_kill_beside_the_index_s_commit_loses_and_repeats_nothing(
    tmp_path: Path, point: str
) -> None:
    told(tmp_path, 100)
    for _ in range(2):
        index_until_killed(tmp_path, point)
        check(tmp_path, 100, settle=False)
    check(tmp_path, 100, settle=True)


def test_f33_kills_at_random_times_leave_index_and_checkpoint_in_step(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    told(tmp_path, 1500)
    for _ in range(KILLS):
        index_until_killed(tmp_path, "", chance.uniform(0.0, 0.6))
        check(tmp_path, 1500, settle=False)
    check(tmp_path, 1500, settle=True)


def check(folder: Path, count: int, *, settle: bool) -> None:
    """Read what is there without joining the group, or let the indexer finish first."""
    room = Room(folder)
    if settle:
        room.settle()
        assert room.indexer.lag() == 0
        assert room.index.count(parse("truce")) == count
    checkpoint = room.index.checkpoint()
    reached = checkpoint.stories[0] if checkpoint else 0
    assert room.index.count(parse("truce")) == reached
    assert (room.log.committed("index", STORIES) or 0) <= reached
    room.close()
