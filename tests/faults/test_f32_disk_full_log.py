"""F32, the log's part: a full disk stops appends, not reads, and passes by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import json, resource, sys
from pathlib import Path
from ingest.errors import UnavailableError
from ingest.log import Commit, NewRecord, Partition, TopicSpec
from ingest.sqlite_log import SqliteLog

NEWS = Partition("news")
log = SqliteLog(Path(sys.argv[1]))
log.ensure_topics([TopicSpec(name="news")])
made = lambda: [NewRecord(topic="news", key="k", value=b"x" * 3000) for _ in range(10)]
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
acknowledged, errors = 0, []
for turn in range(400):
    futures = [log.submit(made(), commit=Commit(group="g", offsets={NEWS: turn})) for _ in "ab"]
    for future in futures:
        try:
            acknowledged += len(future.result())
        except UnavailableError as error:
            errors.append(error)
    if len(errors) > 10:
        break
full = {
    "acknowledged": acknowledged,
    "readable": sum(1 for _ in log.read(NEWS, 0, max_records=100_000)),
    "errors": sorted({error.sentence for error in errors}),
    "codes": sorted({error.code for error in errors}),
    "state": log.health()["state"],
}
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
acknowledged += len(log.append(made()))
records = log.read(NEWS, 0, max_records=100_000)
full |= {
    "afterwards": acknowledged,
    "stored": len(records),
    "gaps": [r.offset for r in records] != list(range(len(records))),
    "state_afterwards": log.health()["state"],
}
log.close()
print(json.dumps(full))
"""


def test_f32_a_full_disk_loses_nothing_and_the_log_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "log.sqlite")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["acknowledged"] > 100
    assert found["readable"] == found["acknowledged"]
    assert found["codes"] == ["disk-full"]
    assert found["state"].startswith("Disk full")
    assert found["errors"] == [found["state"]]
    assert found["stored"] == found["afterwards"] == found["acknowledged"] + 10
    assert not found["gaps"]
    assert found["state_afterwards"] == "ok"
