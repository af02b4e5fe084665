"""Held alerts that come due, many at a time, or while something is wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from ingest.errors import UnavailableError
from ingest.kafka_settings import KafkaSettings
from ingest.log import NewRecord, Record, Table
from ingest.sqlite_log import SqliteLog
from ingest.wire import encode
from search import gathering, turns
from search.alert_state import ALERT, TOPIC, Alert, mute_key
from search.pace import timing_of
from search.subscriptions import Subscription
from search.timing import Throttle, Timing
from tests.alerting import MANY, Clock, Newsdesk, story
from tests.receiver import Receiver


def states(alerts: list[Alert]) -> Counter[str]:
    return Counter(one.state for one in alerts)


def told_at_eight(desk: Newsdesk, name: str, to: str) -> str:
    """The id of a subscription with a digest."""
    made_id = desk.subscribe(name, to=to)
    desk.settle()
    desk.retime(name, mode="digest", digest="0 8 * * *")
    return made_id


@dataclass
class Stumbling(Table):
    """A table of which many records at a time cannot be read so often."""

    table: Table
    falls: list[str]

    def get(self, key: str) -> Record | None:
        return self.table.get(key)

    def many(self, keys: Collection[str]) -> Mapping[str, Record]:
        if self.falls:
            raise UnavailableError(self.falls.pop(), sentence="No answer.")
        return self.table.many(keys)

    def items(self, prefix: str = "") -> Iterator[Record]:
        return self.table.items(prefix)


class Away(SqliteLog):
    """``topic`` cannot be read now and then."""

    topic = ""
    falls: list[str]

    def table(self, topic: str) -> Table:  # type: ignore[override]  # as the port has it
        found = super().table(topic)
        return Stumbling(found, self.falls) if topic == self.topic else found


async def test_many_subscriptions_with_one_hour_each_get_their_digest(tmp_path: Path) -> None:
    clock = Clock()
    count = gathering.AT_ONCE + 5
    async with Newsdesk(folder=tmp_path, clock=clock, specs=MANY) as desk:
        for number in range(count):
            told_at_eight(desk, f"s{number}", f"file:{tmp_path}/out.jsonl")
        desk.publish(story("a"), story("b"))
        desk.settle()
        async with desk.sending():
            clock.advance(days=1)
            found = await desk.until_all("sent", look_seconds=0.3)
        assert len({one.digest for one in found}) == count + 1  # a digest is in none
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == count


@pytest.mark.parametrize("topic", ["subscriptions", TOPIC])
async def test_a_log_that_cannot_be_read_now_only_delays_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    monkeypatch.setattr(gathering, "LATER_SECONDS", 0.0)
    clock = Clock()
    log = Away(tmp_path / "log.sqlite")
    log.falls = []
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock, given=log) as desk:
        told_at_eight(desk, "truce", receiver.url)
        desk.publish(story("a"), story("b"))
        desk.settle()
        async with desk.sending():
            await desk.until_all("held")
            log.topic, log.falls = topic, ["once", "twice"]
            clock.advance(days=1)
            await desk.until_all("sent")
        assert not log.falls
        assert [one.data["count"] for one in receiver.got] == [2]


async def test_a_subscription_that_breaks_holds_up_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, broken = Clock(), {"truce"}

    def stumbling(subscription: Subscription, *, storm: Throttle | None) -> Timing:
        if subscription.name in broken:
            raise ValueError("a time zone that is no more")
        return timing_of(subscription, storm=storm)

    monkeypatch.setattr(gathering, "timing_of", stumbling)
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        for name in ("harbour", "truce", "zebra"):
            told_at_eight(desk, name, receiver.url)
        desk.publish(story("a"))
        desk.settle()
        async with desk.sending():
            clock.advance(days=1)
            await desk.until(lambda found: states(found)["sent"] == 4)  # two digests, two members
            assert states(desk.alerts())["held"] == 1
            broken.clear()
            clock.advance(seconds=gathering.BROKEN_SECONDS)
            await desk.until_all("sent")
        assert [one.data["count"] for one in receiver.got] == [1, 1, 1]


async def test_a_held_alert_asked_for_while_the_log_was_away_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    log = Away(tmp_path / "log.sqlite")
    log.falls = []
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock, given=log) as desk:
        desk.subscribe("at once")
        told_at_eight(desk, "truce", receiver.url)
        desk.publish(story("a"))
        desk.settle()
        monkeypatch.setattr(turns, "LATER_SECONDS", 0.0)
        async with desk.sending():
            found = await desk.until(lambda found: states(found) == {"held": 1, "sent": 1})
            alert = next(one for one in found if one.state == "held")
            log.topic, log.falls = "subscriptions", ["once"]
            with pytest.raises(UnavailableError):
                await desk.sender.retry(alert.alert_id)
            await desk.until_all("sent")
        assert len(receiver.got) == 1


async def test_what_cannot_be_put_together_is_listed_as_failed(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        told_at_eight(desk, "truce", receiver.url)
        desk.publish(story("a"))
        desk.settle()
        (alert,) = desk.alerts()
        odd = replace(alert, payload="{}")
        desk.log.append([NewRecord(topic=TOPIC, key=ALERT + alert.alert_id, value=encode(odd))])
        async with desk.sending():
            clock.advance(days=1)
            (found,) = await desk.until_all("failed")
        assert found.attempts[-1].error == "They could not be put together (KeyError)."


async def test_a_held_alert_of_a_story_muted_before_a_crash_is_muted(tmp_path: Path) -> None:
    clock = Clock()
    async with Newsdesk(folder=tmp_path, clock=clock) as desk:
        truce = told_at_eight(desk, "truce", "stdout:")
        desk.publish(story("a"), story("b"))
        desk.settle()
        desk.owner.mute(truce, "a")
        desk.owner.step(0)
        assert desk.log.table(TOPIC).get(mute_key(truce, "a")) is not None
    async with Newsdesk(folder=tmp_path, clock=clock) as desk, desk.sending():
        clock.advance(days=1)
        await desk.until(lambda found: states(found) == {"muted": 1, "sent": 2})


async def test_what_one_owner_holds_the_next_one_brings_over_a_real_broker(
    kafka: str, tmp_path: Path
) -> None:
    pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
    from ingest.kafka_log import KafkaLog  # noqa: PLC0415  needs the extra

    chosen = KafkaSettings(bootstrap=kafka, prefix=f"digests-{uuid4().hex[:8]}.")
    clock = Clock()

    def desk() -> Newsdesk:
        log = KafkaLog(chosen)
        return Newsdesk(folder=tmp_path, clock=clock, given=log, specs=MANY, wait_seconds=0.1)

    def prepared() -> Newsdesk:
        first = desk()
        for name in "xyz":
            told_at_eight(first, name, receiver.url)
        first.publish(story("a"), story("b"))
        first.settle()
        return first

    async with Receiver() as receiver:
        first = await asyncio.to_thread(prepared)
        async with first, first.sending():
            await first.until_all("held")
        clock.advance(days=1)
        second = await asyncio.to_thread(desk)
        async with second, second.sending():
            found = await second.until_all("sent")
        assert [one.data["count"] for one in receiver.got] == [2, 2, 2]
        assert states(found) == {"sent": 9}
