"""F38, the alerts' part: the log took the claims, and its answer was lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from ingest.errors import UnavailableError
from ingest.log import Commit, NewRecord
from ingest.sqlite_log import SqliteLog
from search.alert_state import ALERT, SINCE
from tests.alerting import MANY, Clock, Newsdesk, Running, story

PATIENCE_SECONDS = 20.0


class Unheard(SqliteLog):
    """Writes the first records of a kind, claims, and says that there was no answer."""

    kind = ALERT
    was_unheard = False

    def append(self, records: Sequence[NewRecord], *, commit: Commit | None = None) -> list[int]:
        offsets = super().append(records, commit=commit)
        if not self.was_unheard and any(one.key.startswith(self.kind) for one in records):
            self.was_unheard = True
            raise UnavailableError("no answer in time", sentence="No answer.")
        return offsets


async def test_f38_a_claim_that_was_written_without_an_answer_is_delivered_all_the_same(
    tmp_path: Path,
) -> None:
    log = Unheard(tmp_path / "log.sqlite")
    async with Newsdesk(folder=tmp_path, given=log, specs=MANY, wait_seconds=0.05) as desk:
        desk.subscribe("ports")
        desk.settle()
        desk.publish(story("a"))
        stop = asyncio.Event()
        sending = asyncio.create_task(desk.sender.run(stop))
        with Running(desk.owner):
            until = time.monotonic() + PATIENCE_SECONDS
            while [one.state for one in desk.alerts()] != ["sent"]:
                assert time.monotonic() < until
                await asyncio.sleep(0.02)
        stop.set()
        await sending
        assert log.was_unheard
        assert desk.stdout.getvalue().count("Harbour talks end") == 1


async def test_f38_an_edit_that_was_written_without_an_answer_counts_for_what_is_held(
    tmp_path: Path,
) -> None:
    log = Unheard(tmp_path / "log.sqlite")
    log.was_unheard = True
    async with Newsdesk(folder=tmp_path, given=log, clock=Clock(), wait_seconds=0.05) as desk:
        desk.subscribe("ports", digest="0 8 * * *")
        desk.subscribe("at once")
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        async with desk.sending():
            await desk.until(lambda found: {one.state for one in found} == {"held", "sent"})
            log.kind, log.was_unheard = SINCE, False
            desk.rename("ports", digest="")
            with Running(desk.owner):
                await desk.until_all("sent")
        assert log.was_unheard
