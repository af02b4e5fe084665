"""F59, the index's part: index or log came back empty, older, or as another one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import ForeignStoreError
from processors.query import parse
from tests.search.test_indexer import Room
from tests.story_records import stories

TRUCE = parse("truce")


def settled(folder: Path, count: int) -> None:
    room = Room(folder)
    room.tell(*stories(count))
    room.settle()
    room.close()


def index_lost(folder: Path) -> None:
    settled(folder, 4)
    shutil.rmtree(folder / "index")


def index_emptied(folder: Path) -> None:
    settled(folder, 4)
    shutil.rmtree(folder / "index" / "1")


def index_older(folder: Path) -> None:
    settled(folder, 2)
    shutil.copytree(folder / "index", folder / "older")
    settled(folder, 4)
    shutil.rmtree(folder / "index")
    (folder / "older").rename(folder / "index")


def log_older(folder: Path) -> None:
    settled(folder, 2)
    older = folder / "older"
    older.mkdir()
    for file in folder.glob("log.sqlite*"):
        shutil.copy(file, older)
    settled(folder, 4)
    for file in folder.glob("log.sqlite*"):
        file.unlink()
    for file in older.iterdir():
        file.rename(folder / file.name)


def log_of_another(folder: Path) -> None:
    settled(folder, 4)
    for file in folder.glob("log.sqlite*"):
        file.unlink()
    room = Room(folder)
    room.tell(*stories(9))
    room.close()


@pytest.mark.parametrize(
    ("happens", "word"),
    [
        (index_lost, "empty"),
        (index_emptied, "empty"),
        (index_older, "older"),
        (log_older, "older"),
        (log_of_another, "another log"),
    ],
)
def test_f59_the_stage_stops_and_a_rebuild_mends_it(
    tmp_path: Path, happens: Callable[[Path], None], word: str
) -> None:
    happens(tmp_path)
    for _ in range(2):  # a restart does not take it for a new one
        room = Room(tmp_path)
        before = room.index.count(TRUCE)
        with pytest.raises(ForeignStoreError) as caught:
            room.indexer.step(timeout_seconds=0)
        assert word in caught.value.sentence
        assert "rebuild or restore" in caught.value.sentence
        assert "wirewatch reindex" in caught.value.hint
        assert room.index.count(TRUCE) == before
        room.close()
    room = Room(tmp_path)
    told = room.log.bounds(room.stories)[1]
    assert list(room.indexer.rebuild())[-1] == (told, told)
    assert room.index.count(TRUCE) == len(list(room.log.table("stories").items()))
    room.tell(*stories(20))
    room.settle()
    assert room.index.count(TRUCE) == 20
    room.close()


def test_f59_a_log_that_came_back_empty_stops_the_stage(tmp_path: Path) -> None:
    settled(tmp_path, 4)
    for file in tmp_path.glob("log.sqlite*"):
        file.unlink()
    room = Room(tmp_path)
    with pytest.raises(ForeignStoreError):
        room.indexer.step(timeout_seconds=0)
    room.close()
