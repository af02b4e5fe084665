"""F58, the alerts' part: a worker that hangs past its session wakes after its shards moved."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from ingest.log import NewRecord
from ingest.wire import encode
from search.alert_state import ALERT, TOPIC
from tests.alert_workers import agency
from tests.alerting import SHARDS, story
from tests.newsroom import until
from tests.receiver import Receiver


@pytest.mark.parametrize("point", ["K6", "K7"])
async def test_f58_what_a_stalled_worker_does_when_it_wakes_harms_nothing(
    kafka: str, tmp_path: Path, point: str
) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        stalled, other = await desk.start(point=point), await desk.start()
        await desk.at_rest(stalled, other)
        made = await desk.subscribe_everywhere(receiver.url)
        await desk.active(made.values())
        desk.publish(story("a"))
        await until(lambda: stalled.is_stopped, seconds=20)
        first = await desk.alerted(SHARDS)
        desk.publish(story("b"))
        await desk.alerted(2 * SHARDS)
        state = {one.alert_id: encode(one) for one in desk.alerts()}
        stalled.signal(signal.SIGCONT)
        await desk.at_rest(stalled, other)
        desk.publish(story("c"))
        await desk.alerted(3 * SHARDS)
        await desk.settled()
        found = {one.alert_id: one for one in desk.alerts()}
        assert len(found) == 3 * SHARDS
        assert {one.id for one in receiver.got} == set(found)
        assert {name: encode(found[name]) for name in state} == state
        # What was under way when it stalled was sent by both, with one id.
        assert len(receiver.got) <= len(found) + len(first)


async def test_f58_the_late_word_of_an_earlier_owner_does_not_stand(
    kafka: str, tmp_path: Path
) -> None:
    async with Receiver() as receiver, agency(kafka, tmp_path) as desk:
        await desk.at_rest(await desk.start())
        made = await desk.subscribe_everywhere(receiver.url)
        await desk.active(made.values())
        desk.publish(story("a"))
        (first, *_) = await desk.alerted(SHARDS)
        shard = next(at for at, name in made.items() if name == first.subscription)
        old = replace(first, state="failed", acknowledged=(), attempts=())
        desk.log.append(
            [NewRecord(topic=TOPIC, key=ALERT + old.alert_id, value=encode(old), partition=shard)]
        )
        assert first in await desk.alerted(SHARDS)
        assert len(receiver.got) == SHARDS
