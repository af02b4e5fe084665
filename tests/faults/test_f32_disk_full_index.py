"""F32, the index's part: a full disk stops writes, not searches, and passes by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import json, random, resource, sys
from pathlib import Path
from ingest.errors import UnavailableError
from processors.query import parse
from search.index import Checkpoint
from search.tantivy_index import TantivyIndex
from tests.story_records import story

index = TantivyIndex(Path(sys.argv[1]), heap_bytes=15_000_000)
chance = random.Random(5)

def made(turn):
    text = lambda: " ".join("%x" % chance.getrandbits(40) for _ in range(2000))
    return [story(f"{turn}-{n}", f"truce {text()}", order=turn * 10 + n) for n in range(10)]

def count():
    return index.count(parse("truce"))

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
index.write(made(0), checkpoint=Checkpoint(log="log", stories={0: 10}))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
acknowledged, errors, turn = 10, [], 0
while len(errors) < 5 and turn < 100:
    turn += 1
    try:
        checkpoint = Checkpoint(log="log", stories={0: 10 * turn + 10})
        result = index.write(made(turn) * 4, checkpoint=checkpoint)
        assert not result.rejected
        acknowledged += 10
    except UnavailableError as error:
        errors.append(error)
found = {
    "acknowledged": acknowledged,
    "searchable": count(),
    "sentences": sorted({error.sentence for error in errors}),
    "state": index.health()["state"],
}
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
index.write(made(200), checkpoint=Checkpoint(log="log", stories={0: 9000}))
found |= {
    "afterwards": count(),
    "checkpoint": index.checkpoint().stories[0],
    "state_afterwards": index.health()["state"],
}
index.close()
index = TantivyIndex(Path(sys.argv[1]))
found["reopened"] = count()
print(json.dumps(found))
"""


def test_f32_a_full_disk_pauses_indexing_and_it_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "index")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["sentences"]) >= 1
    assert found["state"] in found["sentences"]
    assert found["searchable"] == found["acknowledged"]
    assert found["afterwards"] == found["reopened"] == found["acknowledged"] + 10
    assert found["checkpoint"] == 9000
    assert found["state_afterwards"] == "ok"
    assert any("Disk full" in sentence for sentence in found["sentences"]), found
