from __future__ import annotations

import pytest

from ingest.errors import UnreadableError
from ingest.sandbox import Sandbox
from ingest.settings import ParseSettings

SENTENCES = {"Reader crashed on this feed.", "Refused: took too much memory to read."}


@pytest.mark.parametrize(
    ("action", "code"), [("segfault", "crashed"), ("exit", "crashed"), ("hoard", "out-of-memory")]
)
async def test_f09_a_crash_of_the_reader_costs_one_feed_only(action: str, code: str) -> None:
    settings = ParseSettings(seconds=20, memory_bytes=1 << 28)
    sandbox = Sandbox("tests.sandbox_targets:act", settings=settings)
    for _ in range(2):
        with pytest.raises(UnreadableError) as caught:
            await sandbox.call({"do": action}, b"<rss/>")
        assert caught.value.code == code
        assert caught.value.sentence in SENTENCES
        assert (await sandbox.call({}, b"<rss/>"))["done"]
    await sandbox.close()
