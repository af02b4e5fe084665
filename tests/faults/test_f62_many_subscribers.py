"""F62: 20,000 subscriptions match one article."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.log import MAX_RECORD_BYTES, NewRecord, Partition
from ingest.wire import encode
from search.alert_state import ALERT, TOPIC, alert_id
from search.outbox import FLUSH
from search.subscriptions import Subscription
from tests.alerting import MANY, SHARDS, Newsdesk, story

COUNT = 20_000


def subscribed(desk: Newsdesk, count: int) -> None:
    """Subscriptions to files, as the store writes them, without a look at each other's names."""
    now = datetime.now(UTC)
    made = [
        Subscription(
            id=f"s{number:05}",
            name=f"s{number}",
            query="truce" if number % 2 else f"truce OR word{number}",
            to=(f"file:{desk.folder}/out{number % 4}.jsonl",),
            shard=number % SHARDS,
            created=now,
        )
        for number in range(count)
    ]
    for first in range(0, count, 1000):
        desk.log.append(
            [
                NewRecord(
                    topic="subscriptions",
                    key=one.id,
                    value=encode(one),
                    partition=one.shard % desk.log.partitions("subscriptions"),
                )
                for one in made[first : first + 1000]
            ]
        )


def claimed(desk: Newsdesk, wanted: str) -> bool:
    return desk.log.table(TOPIC).get(ALERT + wanted) is not None


def test_f62_all_are_claimed_in_small_records_and_the_next_article_is_not_late(
    tmp_path: Path,
) -> None:
    claims: list[int] = []
    """How many alerts were durable after each write, while the first article is claimed."""
    desk = Newsdesk(folder=tmp_path)
    between: list[int] = []
    """How many when the other article came, and when its own alert was durable."""

    def wake(ids: Collection[str]) -> None:
        claims.append(len(ids) + (claims[-1] if claims else 0))
        if len(claims) == 2:
            desk.publish(story("b", "Rain is coming."))
            between.append(claims[-1])
        if len(between) == 1 and claimed(desk, rain):
            between.append(claims[-1])

    desk.owner = desk.new_owner(wake=wake)
    subscribed(desk, COUNT)
    rain = alert_id(desk.subscribe("other", "rain"), "b")
    started = time.monotonic()
    desk.settle()
    applied = time.monotonic() - started
    desk.publish(story("a"))
    started = time.monotonic()
    desk.settle()
    took = time.monotonic() - started
    print(f"{COUNT} applied in {applied:.1f} s, claimed in {took:.1f} s ({COUNT / took:.0f}/s)")
    assert claims[0] <= FLUSH
    assert between[1] - between[0] <= 4 * FLUSH, "another article waits for all of the first's"
    alerts = desk.alerts()
    assert len(alerts) == COUNT + 1
    assert len({one.alert_id for one in alerts}) == COUNT + 1
    records = desk.log.read(Partition(TOPIC), 0, max_records=10_000)
    assert max(len(one.value or b"") for one in records) < MAX_RECORD_BYTES / 40
    desk.close()


async def test_f62_all_are_delivered(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        subscribed(desk, 400)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        started = time.monotonic()
        await desk.sender.once()
        print(f"400 delivered to files in {time.monotonic() - started:.1f} s")
        assert {one.state for one in desk.alerts()} == {"sent"}
    assert sum(lines_in(tmp_path / f"out{number}.jsonl") for number in range(4)) == 400


def test_f62_over_many_shards_each_is_claimed_once(kafka: str, tmp_path: Path) -> None:
    pytest.importorskip("kafka", reason="the extra for Kafka is not installed")
    from tests.alert_workers import kafka_log  # noqa: PLC0415  needs the extra

    woken: list[int] = []
    desk = Newsdesk(folder=tmp_path, given=kafka_log(kafka), specs=MANY, wait_seconds=0.1)
    desk.owner = desk.new_owner(wake=lambda ids: woken.append(len(ids)))
    subscribed(desk, 4_000)
    desk.settle()
    started = time.monotonic()
    desk.publish(story("a"), story("b", "Rain is coming."))
    desk.settle()
    print(f"4,000 claimed over {SHARDS} shards in {time.monotonic() - started:.1f} s")
    assert len({one.alert_id for one in desk.alerts()}) == sum(woken) == 4_000
    assert max(woken) <= FLUSH
    desk.close()


def lines_in(path: Path) -> int:
    return len(path.read_text().splitlines())
