"""From a claim in the log to the receiver and back."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import NotFoundError, UnavailableError, UsageError
from ingest.log import Record, Table
from ingest.sqlite_log import SqliteLog
from search.alert_settings import AlertSettings
from search.alert_state import ENDPOINT
from search.turns import LATER_SECONDS
from tests.alerting import Clock, Newsdesk, Running, story
from tests.receiver import Receiver


async def test_an_alert_is_delivered_once_and_its_outcome_is_stored(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        await desk.sender.once()
        (alert,) = desk.alerts()
        assert [one.id for one in receiver.got] == [alert.alert_id]
        assert alert.state == "sent"
        assert [(one.status, one.error) for one in alert.attempts] == [(200, "")]
        assert alert.next_attempt is None


async def test_a_running_sender_delivers_within_moments_of_the_claim(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        stop = asyncio.Event()
        with Running(desk.owner):
            running = asyncio.create_task(desk.sender.run(stop))
            await asyncio.sleep(0.1)
            latencies = []
            for number in range(5):
                published = time.monotonic()
                desk.publish(story(f"a{number}"))
                await receiver.wait_for(number + 1)
                latencies.append(receiver.got[-1].at - published)
        stop.set()
        await running
        print(f"claim to receiver: {sorted(round(1000 * one) for one in latencies)} ms")
        assert min(latencies) < 0.25
        assert all(one.state == "sent" for one in desk.alerts())


async def test_once_delivers_what_is_claimed_meanwhile_and_repeats_nothing(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver(answers=[500]) as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        until = asyncio.Event()
        with Running(desk.owner):
            delivering = asyncio.create_task(desk.sender.once(until))
            for number in range(3):
                desk.publish(story(f"a{number}"))
                await receiver.wait_for(number + 1)
                clock.advance(seconds=6)
        until.set()
        await delivering
        assert len(receiver.got) == 3
        assert sorted(one.state for one in desk.alerts()) == ["sent", "sent", "waiting"]
        clock.advance(minutes=10)
        await desk.sender.once()
        assert {one.state for one in desk.alerts()} == {"sent"}


async def test_a_failed_attempt_is_repeated_with_the_same_id_and_body(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver(answers=[500]) as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        assert desk.alerts()[0].state == "waiting"
        await desk.sender.once()
        assert len(receiver.got) == 1
        clock.advance(seconds=6)
        await desk.sender.once()
        first, second = receiver.got
        assert first.id == second.id
        assert first.body == second.body
        assert [one.status for one in desk.alerts()[0].attempts] == [500, 200]


async def test_what_waits_is_delivered_by_the_next_process(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        async with Newsdesk(folder=tmp_path) as desk:
            desk.subscribe("truce", to=receiver.url)
            desk.settle()
            desk.publish(story("a"))
            desk.settle()
            (claimed,) = desk.alerts()
        async with Newsdesk(folder=tmp_path) as desk:
            await desk.sender.once()
            assert [one.id for one in receiver.got] == [claimed.alert_id]
            assert desk.alerts()[0].state == "sent"


async def test_each_target_of_an_alert_has_its_own_outcome(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        Receiver() as good,
        Receiver(answers=[500, 500]) as bad,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        desk.store.add(name="truce", query="truce", to=[good.url, bad.url])
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        assert desk.alerts()[0].pending == (bad.url,)
        for seconds in (6, 301):
            clock.advance(seconds=seconds)
            await desk.sender.once()
        (alert,) = desk.alerts()
        assert alert.state == "sent"
        assert len(good.got) == 1
        assert len(bad.got) == 3


async def test_an_alert_that_never_arrives_is_listed_as_failed_and_can_be_retried(
    tmp_path: Path,
) -> None:
    clock = Clock()
    settings = AlertSettings(disable_after_hours=1000)
    async with (
        Receiver(answers=[503] * 10) as receiver,
        Newsdesk(folder=tmp_path, clock=clock, settings=settings) as desk,
    ):
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        for _ in range(12):
            await desk.sender.once()
            clock.advance(hours=25)
        (alert,) = desk.alerts()
        assert alert.state == "failed"
        assert len(receiver.got) == len(alert.attempts) == 10
        await desk.sender.retry(alert.alert_id)
        assert desk.alerts()[0].state == "sent"
        assert {one.id for one in receiver.got} == {alert.alert_id}


async def test_only_an_alert_that_was_not_delivered_can_be_retried(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        with pytest.raises(NotFoundError):
            await desk.sender.retry("no-such-alert")
        desk.subscribe("truce")
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        with pytest.raises(UsageError, match="delivered already"):
            await desk.sender.retry(desk.alerts()[0].alert_id)


async def test_a_new_address_counts_for_what_waits(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        Receiver(answers=[404]) as wrong,
        Receiver() as right,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        desk.subscribe("truce", to=wrong.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        desk.store.edit("truce", to=[right.url])
        clock.advance(seconds=6)
        await desk.sender.once()
        assert (len(wrong.got), len(right.got)) == (1, 1)
        assert desk.alerts()[0].state == "sent"


async def test_what_waits_for_a_removed_subscription_is_listed_as_failed(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        desk.store.remove("truce")
        await desk.sender.once()
        (alert,) = desk.alerts()
        assert (alert.state, alert.attempts[-1].error) == (
            "failed",
            "The subscription was removed.",
        )
        assert receiver.got == []


async def test_a_test_alert_reaches_every_target_and_is_not_stored(tmp_path: Path) -> None:
    async with (
        Receiver() as good,
        Receiver(answers=[500]) as bad,
        Newsdesk(folder=tmp_path) as desk,
    ):
        made = desk.store.add(name="truce", query="truce", to=[good.url, bad.url])
        rows = await desk.sender.send_test(made.id)
        assert [(row["to"], row["status"]) for row in rows] == [(good.url, 200), (bad.url, 500)]
        assert rows[0]["error"] == ""
        assert rows[1]["error"]
        assert good.got[0].data["test"] is True
        good.verify(desk.secrets.signing_secret(made.id, good.url))
        assert desk.alerts() == []


async def test_a_webhook_whose_signing_secret_was_lost_is_not_sent_unsigned(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        made = desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        desk.secrets.forget(made)
        await desk.sender.once()
        assert receiver.got == []
        assert "signing secret of this webhook is missing" in desk.alerts()[0].attempts[-1].error


async def test_the_terminal_gets_a_block_or_with_json_the_payload(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce")
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        assert "truce: Harbour talks end" in desk.stdout.getvalue()
        as_json = desk.new_sender(as_json=True)
        await as_json.send_test(desk.store.get("truce").id)
        await as_json.close()
        last = desk.stdout.getvalue().splitlines()[-1]
        assert json.loads(last)["type"] == "article.matched"


@dataclass(slots=True)
class Watch:
    """The time of day, and how often it was asked for."""

    asked: int = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return datetime.now(UTC)


async def test_while_a_failing_receiver_hangs_the_sender_sleeps(tmp_path: Path) -> None:
    watch = Watch()
    async with (
        Receiver(answers=[500, 60.0]) as receiver,
        Newsdesk(folder=tmp_path, clock=watch) as desk,
    ):
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        stop = asyncio.Event()
        running = asyncio.create_task(desk.sender.run(stop))
        await receiver.wait_for(1)
        desk.publish(story("b"), story("c"))
        desk.settle()
        await receiver.wait_for(2)
        before = watch.asked
        await asyncio.sleep(1)
        assert watch.asked - before < 50
        stop.set()
        running.cancel()


async def test_an_alert_is_delivered_though_the_log_was_away_when_it_was_due(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        await desk.sender.once()
        desk.publish(story("a"))
        desk.settle()
        log = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
        log.execute("alter table latest rename to away")
        await desk.sender.once()
        log.execute("alter table away rename to latest")
        log.close()
        clock.advance(seconds=LATER_SECONDS)
        await desk.sender.once()
        assert [one.state for one in desk.alerts()] == ["sent"]
        assert len(receiver.got) == 1


@dataclass
class _Without(Table):
    """A table of which records whose keys begin with ``away`` cannot be read."""

    table: Table
    away: str

    def get(self, key: str) -> Record | None:
        if self.away and key.startswith(self.away):
            raise UnavailableError("No answer.")
        return self.table.get(key)

    def many(self, keys: Collection[str]) -> Mapping[str, Record]:
        return self.table.many(keys)

    def items(self, prefix: str = "") -> Iterator[Record]:
        return self.table.items(prefix)


class Patchy(SqliteLog):
    """Of which records whose keys begin with ``away`` cannot be read now."""

    away = ""

    def table(self, topic: str) -> Table:  # type: ignore[override]  # as the port has it
        return _Without(super().table(topic), self.away)


async def test_a_retry_that_the_log_cut_short_can_be_asked_for_again(tmp_path: Path) -> None:
    log = Patchy(tmp_path / "log.sqlite")
    async with (
        Receiver(answers=[410]) as receiver,
        Newsdesk(folder=tmp_path, given=log) as desk,
    ):
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        alert = next(one for one in desk.alerts() if one.article_id)  # the other is the notice
        assert alert.state == "failed"
        log.away = ENDPOINT
        await desk.sender.close()
        desk.sender = desk.new_sender()  # which has not met the receiver
        with pytest.raises(UnavailableError):
            await desk.sender.retry(alert.alert_id)
        log.away = ""
        await desk.sender.retry(alert.alert_id)
        assert next(one.state for one in desk.alerts() if one.article_id) == "sent"


async def test_an_alert_whose_target_is_not_known_here_holds_up_no_other(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        for name in ("harbour", "odd", "truce"):
            desk.subscribe(name, to=receiver.url)
        desk.settle()
        desk.retime("odd", to=("semaphore:tower",))  # as a newer version may have written it
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        found = {one.subscription_name: one.state for one in desk.alerts()}
        assert found == {"harbour": "sent", "odd": "waiting", "truce": "sent"}
