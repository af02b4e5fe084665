"""The logs that every contract is run on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from ingest.log import Log
from ingest.sqlite_log import SqliteLog


class MakeLog(Protocol):
    """Opens a log; each call opens the same storage again."""

    def __call__(self, *, shuffle: random.Random | None = None) -> Log: ...


@pytest.fixture(params=["sqlite"])
def make_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLog]:
    opened: list[Log] = []

    def make(*, shuffle: random.Random | None = None) -> Log:
        assert request.param == "sqlite"
        opened.append(SqliteLog(tmp_path / "log.sqlite", shuffle=shuffle))
        return opened[-1]

    yield make
    for log in opened:
        log.close()


@pytest.fixture
def log(make_log: MakeLog) -> Log:
    return make_log()


@pytest.fixture
def topic() -> str:
    """A name that no other test uses: servers outlive a test."""
    return f"test-{uuid4().hex[:12]}"
