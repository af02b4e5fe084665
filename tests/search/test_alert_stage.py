"""Alert workers of many machines share the subscriptions."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from ingest.requests import Request, request_record
from tests.alert_workers import agency
from tests.alerting import SHARDS, story
from tests.receiver import Receiver


async def test_two_workers_alert_each_subscription_once_and_one_takes_over_when_the_other_dies(
    kafka: str, tmp_path: Path
) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        one, two = await desk.start(), await desk.start()
        await desk.at_rest(one, two)
        made = await desk.subscribe_everywhere(receiver.url)
        await desk.active(made.values())
        desk.publish(*(story(f"a{number}", story_id=f"s{number // 2}") for number in range(12)))
        alerts = await desk.alerted(6 * SHARDS)
        await desk.settled()
        assert Counter(one.subscription for one in alerts) == dict.fromkeys(made.values(), 6)
        assert sorted(got.id for got in receiver.got) == sorted(a.alert_id for a in alerts)
        killed = time.monotonic()
        await one.kill()
        desk.publish(*(story(f"b{number}") for number in range(10)))
        alerts = await desk.alerted(16 * SHARDS)
        print(f"all alerts of a killed worker after {time.monotonic() - killed:.1f} s")
        await desk.settled()
        assert two.held == frozenset(range(SHARDS))
        assert Counter(alert.subscription for alert in alerts) == dict.fromkeys(made.values(), 16)
        assert {got.id for got in receiver.got} == {alert.alert_id for alert in alerts}
        assert await two.end() == 0


async def test_a_retry_that_anybody_asks_for_is_done_by_the_owner(
    kafka: str, tmp_path: Path
) -> None:
    async with Receiver(answers=[410]) as receiver, agency(kafka, tmp_path) as desk:
        await desk.at_rest(await desk.start())
        made = desk.subscribe("truce", to=receiver.url)
        await desk.active([made])
        desk.publish(story("a"))
        failed = await desk.alerted(1, state="failed")
        alert = next(one for one in failed if one.article_id)  # beside the notice of it
        request = Request(kind="retry", target=alert.alert_id, at=datetime.now(UTC))
        desk.log.append([request_record(desk.log, request, shard=desk.store.get(made).shard)])
        await desk.alerted(1)
        assert [one.id for one in receiver.got] == [alert.alert_id] * 2


async def test_a_worker_that_joins_in_the_middle_repeats_and_loses_nothing(
    kafka: str, tmp_path: Path
) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        one = await desk.start()
        await desk.at_rest(one)
        made = await desk.subscribe_everywhere(receiver.url)
        await desk.active(made.values())
        two = await desk.start()
        number = 0
        while not two.held:
            desk.publish(story(f"a{number}"))
            number += 1
            await receiver.wait_for(number * SHARDS)  # whoever it comes from
        await desk.at_rest(one, two)
        desk.publish(story("last"))
        alerts = await desk.alerted((number + 1) * SHARDS)
        await desk.settled()
        assert Counter(alert.subscription for alert in alerts) == dict.fromkeys(
            made.values(), number + 1
        )
        assert {got.id for got in receiver.got} == {alert.alert_id for alert in alerts}


async def test_a_test_alert_that_anybody_asks_for_is_sent_and_listed_by_the_owner(
    kafka: str, tmp_path: Path
) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        await desk.at_rest(await desk.start(), await desk.start())
        made = desk.subscribe("truce", to=receiver.url)
        await desk.active([made])
        request = Request(kind="test", target=made, at=datetime.now(UTC))
        desk.log.append([request_record(desk.log, request, shard=desk.store.get(made).shard)])
        (listed,) = await desk.alerted(1)
        assert (listed.title, listed.subscription, listed.owner) == ("Test alert", made, "local")
        assert [one.data.get("test") for one in receiver.got] == [True]


async def test_a_story_that_somebody_mutes_is_sent_no_more(kafka: str, tmp_path: Path) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        await desk.at_rest(await desk.start(), await desk.start())
        made = desk.store.add(name="s", query="truce", to=[receiver.url], every_article=True).id
        await desk.active([made])
        desk.publish(story("a", story_id="one"))
        await desk.alerted(1)
        request = Request(kind="mute", target=made, at=datetime.now(UTC), story="one")
        desk.log.append([request_record(desk.log, request, shard=desk.store.get(made).shard)])
        await desk.has("mute:")
        desk.publish(story("b", story_id="one"), story("c", story_id="two"))
        await desk.alerted(2)
        assert sorted(one.data["article"]["id"] for one in receiver.got) == ["a", "c"]


async def test_a_backfill_asked_for_while_no_worker_runs_is_done_when_one_does(
    kafka: str, tmp_path: Path
) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        now = datetime.now(UTC)
        one = story("a")
        desk.publish(replace(one, article=replace(one.article, seen=now)))
        made = desk.subscribe("truce", to=receiver.url)
        desk.store.backfill(made, since=now - timedelta(hours=1))
        await desk.at_rest(await desk.start(), await desk.start())
        await desk.alerted(1)
        assert [got.data["article"]["id"] for got in receiver.got] == ["a"]
