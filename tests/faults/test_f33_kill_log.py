"""F33, the log's part: kill -9 at any moment, in an append or in a migration."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingest.log import NewRecord, Partition, TopicSpec
from ingest.sqlite_log import SqliteLog

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10
NEWS = Partition("news")
TABLE = Partition("table")

APPENDER = """
import os, sys, threading
from pathlib import Path
from ingest.log import Commit, NewRecord, Partition, TopicSpec
from ingest.sqlite_log import SqliteLog

log = SqliteLog(Path(sys.argv[1]))
log.ensure_topics([TopicSpec(name="news"), TopicSpec(name="table", compacted=True)])

def append(who):
    number = 0
    while True:
        number += 1
        size = number % 40 + 1
        name = f"{sys.argv[2]}.{who}.{number}"
        value = f"{name} {size} ".encode() + b"x" * 2000
        records = [NewRecord(topic="news", key=name, value=value) for _ in range(size)]
        records.append(NewRecord(topic="table", key=str(who), value=name.encode()))
        log.append(records, commit=Commit(group=f"g{who}", offsets={Partition("news"): number}))
        os.write(1, f"{name} {size}\\n".encode())

for who in range(3):
    threading.Thread(target=append, args=(who,)).start()
while True:
    log.sweep()
"""

MIGRATOR = """
import os, sys
from pathlib import Path
from ingest import sqlite_file
from ingest.sqlite_log import SqliteLog

class Deadly(tuple):
    def __iter__(self):
        for number, statement in enumerate(tuple.__iter__(self)):
            if number == int(sys.argv[2]):
                os.kill(os.getpid(), 9)
            yield statement

change = ("create table extra(x)", "delete from record", "drop table latest", "select 1")
if sys.argv[3] == "new":
    sqlite_file.MIGRATIONS = tuple(Deadly(one) for one in sqlite_file.MIGRATIONS)
else:
    sqlite_file.MIGRATIONS = (*sqlite_file.MIGRATIONS, Deadly(change))
SqliteLog(Path(sys.argv[1]))
"""


def append_until_killed(path: Path, turn: int, seconds: float) -> dict[str, int]:
    """What a child that was killed after some ``seconds`` of work has acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(path), str(turn)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as lines:
        first = lines.readline()
        threading.Timer(seconds, child.kill).start()
        rest = lines.read()
    assert child.wait(30) == -9
    whole = [line for line in (first + rest).decode().splitlines(keepends=True) if line[-1] == "\n"]
    return {name: int(size) for name, size in (line.split() for line in whole)}


def stored(log: SqliteLog) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    offset, end = log.bounds(NEWS)
    while offset < end:
        for record in log.read(NEWS, offset):
            assert record.offset == offset
            offset += 1
            found.setdefault(record.key, []).append(record.value or b"")
    return found


def test_f33_nothing_acknowledged_is_lost_and_no_append_is_half_there(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    path = tmp_path / "log.sqlite"
    acknowledged: dict[str, int] = {}
    for turn in range(KILLS):
        acknowledged |= append_until_killed(path, turn, chance.uniform(0.0, 0.25))
        log = SqliteLog(path)
        found = stored(log)
        for name, size in acknowledged.items():
            assert len(found.get(name, ())) == size, f"{name}, seed {seed}"
        for name, values in found.items():
            assert len(values) == int(values[0].split()[1]), f"{name}, seed {seed}"
        for who in range(3):
            mine = f"{turn}.{who}."
            numbers = [int(name[len(mine) :]) for name in found if name.startswith(mine)]
            if not numbers:  # killed before this thread's first append
                continue
            last = max(numbers)
            assert log.committed(f"g{who}", NEWS) == last
            newest = log.table("table").get(str(who))
            assert newest is not None
            assert newest.value == f"{turn}.{who}.{last}".encode()
        log.close()
    assert len(acknowledged) >= KILLS


@pytest.mark.parametrize("statement", range(4))
def test_f33_a_killed_migration_leaves_the_file_as_it_was(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteLog(path)
    log.ensure_topics([TopicSpec(name="table", compacted=True)])
    log.append([NewRecord(topic="table", key="k", value=b"v")])
    identity = log.identity()
    log.close()
    migrate_until_killed(path, statement, "old")
    log = SqliteLog(path)
    newest = log.table("table").get("k")
    assert newest is not None
    assert newest.value == b"v"
    assert log.identity() == identity
    assert log.append([NewRecord(topic="table", key="k", value=b"w")]) == [1]
    log.close()


@pytest.mark.parametrize("statement", [0, 3, 6])
def test_f33_a_kill_while_the_log_is_made_is_no_obstacle(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "log.sqlite"
    migrate_until_killed(path, statement, "new")
    log = SqliteLog(path)
    log.ensure_topics([TopicSpec(name="news")])
    assert log.append([NewRecord(topic="news", key="k", value=b"v")]) == [0]
    log.close()


def migrate_until_killed(path: Path, statement: int, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MIGRATOR, str(path), str(statement), kind],
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9
