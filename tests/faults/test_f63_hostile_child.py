from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest

from ingest.errors import UnreadableError
from ingest.sandbox import Sandbox
from ingest.settings import ParseSettings


class Payload:
    """Unpickling this writes a file: what must never happen in the parent."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self._path, "w")


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "too-slow"),
        (b"\x00", "too-slow"),
        (b"\x00\x00\x00\x10{", "too-slow"),
        (frame(b'{"a": 1}')[:-1], "too-slow"),
        (b"\xff\xff\xff\xff{}", "crashed"),
        ((16_000_001).to_bytes(4, "big"), "crashed"),
        (frame(b""), "crashed"),
        (frame(b"[1]"), "crashed"),
        (frame(b"\xff\xfe\x00"), "crashed"),
        (frame(b"[" * 200_000), "crashed"),
        (frame(b'{"error": ' + b"9" * 10_000 + b"}"), "crashed"),
        (frame(b'{"error": "a plain text"}'), "crashed"),
        (frame(b'{"error": {"code": {}, "error": [], "hint": 7}}'), "crashed"),
    ],
)
async def test_f63_half_frames_and_lies_end_within_the_deadline(sent: bytes, code: str) -> None:
    sandbox = Sandbox("tests.sandbox_targets:act", settings=ParseSettings(seconds=0.5))
    await sandbox.call({}, b"")
    started = time.monotonic()
    with pytest.raises(UnreadableError) as caught:
        await sandbox.call({"do": "raw"}, sent)
    assert time.monotonic() - started < 1.5
    assert caught.value.code == code
    if code == "crashed":
        assert caught.value.sentence
    await sandbox.close()


async def test_f63_nothing_the_child_sends_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    harmful = pickle.dumps(Payload(mark))
    sandbox = Sandbox("tests.sandbox_targets:act", settings=ParseSettings(seconds=0.5))
    for sent in (harmful, frame(harmful)):
        with pytest.raises(UnreadableError):
            await sandbox.call({"do": "raw"}, sent)
    await sandbox.close()
    assert not mark.exists()
