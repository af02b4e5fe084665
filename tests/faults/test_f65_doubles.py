"""F65: every record delivered twice, at both stages (see also contracts/test_register_replay)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ingest.log import NewRecord, topic_specs
from ingest.quarantine import Quarantine
from ingest.sqlite_log import SqliteLog
from ingest.wire import decode, encode
from processors.records import StoryRecord
from processors.worker import Registrar, Tagger
from tests.made_up_news import newsroom


def stories(folder: Path, seed: int, *, twice: bool) -> list[tuple[object, ...]]:
    folder.mkdir()
    log = SqliteLog(folder / "log.sqlite", shuffle=random.Random(seed) if twice else None)
    log.ensure_topics(topic_specs())
    quarantine = Quarantine(log, folder / "quarantine")
    for seen in newsroom(seed, 60):
        record = NewRecord(topic="articles", key=seen.article.id, value=encode(seen))
        log.append([record] * (2 if twice else 1))
    tagger = Tagger(log, quarantine=quarantine)
    registrar = Registrar(log, quarantine=quarantine)
    while tagger.step(0) + registrar.step(0):
        pass
    found = [decode(StoryRecord, record.value or b"") for record in log.table("stories").items()]
    log.close()
    assert all(story.copy_of != story.article.id for story in found)
    return [
        (s.article.id, s.article.revision, s.article.feeds, s.story_id, s.copy_of, s.size)
        for s in found
    ]


@pytest.mark.parametrize("seed", range(3))
def test_f65_sightings_and_tagged_records_twice_give_the_same_stories(
    seed: int, tmp_path: Path
) -> None:
    once = stories(tmp_path / "once", seed, twice=False)
    assert stories(tmp_path / "twice", seed, twice=True) == once
    assert any(copy_of for *_, copy_of, _ in once)
