"""F37, the alerts' part: the log goes away while an alert is read again to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.errors import UnavailableError
from ingest.log import Record, Table
from ingest.sqlite_log import SqliteLog
from search import rounds
from search.alert_state import ALERT, TOPIC
from tests.alerting import Newsdesk, Running, story
from tests.newsroom import until

PATIENCE_SECONDS = 20.0
COUNT = 4


@dataclass
class Stumbling(Table):
    """Reads single records of ``table``; ``falls`` of the tries are in vain."""

    table: Table
    falls: list[str]

    def get(self, key: str) -> Record | None:
        if self.falls and key.startswith(self.falls[0]):
            self.falls.pop(0)
            raise UnavailableError("no answer in time", sentence="No answer.")
        return self.table.get(key)

    def many(self, keys: Collection[str]) -> Mapping[str, Record]:
        return self.table.many(keys)

    def items(self, prefix: str = "") -> Iterator[Record]:
        return self.table.items(prefix)


class Away(SqliteLog):
    """Cannot be read now and then."""

    falls: list[str]

    def table(self, topic: str) -> Table:  # type: ignore[override]  # as the port has it
        found = super().table(topic)
        return Stumbling(found, self.falls) if topic == TOPIC else found


@pytest.mark.parametrize("key", [ALERT, "endpoint:"])
async def test_f37_alerts_that_cannot_be_read_again_now_are_sent_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(rounds, "MAX_KEPT", 0)
    monkeypatch.setattr(rounds, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr("search.turns.LATER_SECONDS", 0.01)
    log = Away(tmp_path / "log.sqlite")
    log.falls = [key] * COUNT
    async with Newsdesk(folder=tmp_path, given=log) as desk:
        desk.subscribe("ports")
        desk.settle()
        desk.publish(*(story(name) for name in "abcd"))
        stop = asyncio.Event()
        sending = asyncio.create_task(desk.sender.run(stop))
        with Running(desk.owner):
            await until(
                lambda: [one.state for one in desk.alerts()] == ["sent"] * COUNT,
                seconds=PATIENCE_SECONDS,
            )
        stop.set()
        await sending
        assert not log.falls
        assert desk.stdout.getvalue().count("Harbour talks end") == COUNT
