"""Stories that a subscription wants to hear nothing more of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.log import TopicSpec, topic_specs
from search.alert_state import TOPIC, mute_key
from tests.alerting import MANY, Clock, Newsdesk, story
from tests.receiver import Receiver


def states(desk: Newsdesk) -> Counter[str]:
    return Counter(one.state for one in desk.alerts())


def muted(desk: Newsdesk, subscription: str, story_id: str) -> None:
    desk.owner.mute(subscription, story_id)
    desk.owner.step(0)


@pytest.mark.parametrize("specs", [topic_specs(), MANY])
async def test_a_muted_story_alerts_no_more(tmp_path: Path, specs: Sequence[TopicSpec]) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, specs=specs) as desk:
        loud = desk.subscribe("loud", to=receiver.url, every_article=True)
        desk.subscribe("other", to=receiver.url, every_article=True)
        desk.settle()
        desk.publish(story("a"))
        desk.settle()
        await desk.sender.once()
        muted(desk, loud, "a")
        desk.publish(story("b", story_id="a"), story("c"))
        desk.settle()
        await desk.sender.once()
        assert states(desk) == {"sent": 5, "muted": 1}
        assert len(receiver.got) == 5


async def test_what_waits_or_is_held_of_a_muted_story_is_muted(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        loud = desk.subscribe("loud", to=receiver.url)
        held = desk.subscribe("held", to=receiver.url)
        desk.settle()
        desk.retime("held", mode="digest", digest="0 8 * * *")
        desk.publish(story("a"), story("b"))
        desk.settle()
        muted(desk, loud, "a")
        muted(desk, held, "b")
        async with desk.sending():
            await desk.until(lambda _: states(desk) == {"muted": 2, "sent": 1, "held": 1})
            clock.advance(days=1)
            await desk.until(lambda _: states(desk) == {"muted": 2, "sent": 3})
        assert [one.data.get("count", 1) for one in receiver.got] == [1, 1]


async def test_muting_reaches_the_stories_merged_into_it_and_the_one_it_was_merged_into(
    tmp_path: Path,
) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        loud = desk.subscribe("loud", every_article=True)
        desk.settle()
        desk.publish(story("young"))
        desk.settle()
        desk.link("young", "old")
        muted(desk, loud, "old")
        await desk.sender.once()
        desk.publish(story("x", story_id="old"), story("y", story_id="young"))
        desk.settle()
        assert states(desk) == {"muted": 3}


async def test_a_mute_outlives_a_restart_and_can_be_taken_back(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        loud = desk.subscribe("loud", every_article=True)
        desk.settle()
        muted(desk, loud, "a")
    async with Newsdesk(folder=tmp_path) as desk:
        desk.publish(story("a"))
        desk.settle()
        desk.owner.unmute(loud, "a")
        desk.owner.step(0)
        assert desk.log.table(TOPIC).get(mute_key(loud, "a")) is None
        desk.publish(story("b", story_id="a"))
        desk.settle()
        assert states(desk) == {"muted": 1, "waiting": 1}


async def test_an_alert_claimed_before_a_crash_is_not_sent_once_its_story_is_muted(
    tmp_path: Path,
) -> None:
    async with Receiver() as receiver:
        async with Newsdesk(folder=tmp_path) as desk:
            loud = desk.subscribe("loud", to=receiver.url)
            desk.settle()
            desk.publish(story("a"))
            desk.settle()
            muted(desk, loud, "a")
        async with Newsdesk(folder=tmp_path) as desk:
            await desk.sender.once()
            assert states(desk) == {"muted": 1}
            await desk.sender.retry(desk.alerts()[0].alert_id)  # asked for by name
            assert states(desk) == {"sent": 1}
        assert len(receiver.got) == 1


async def test_a_mute_for_nobody_is_nothing(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        muted(desk, "nobody", "a")
        assert desk.log.table(TOPIC).get(mute_key("nobody", "a")) is None


async def test_with_a_subscription_goes_what_was_muted_for_it(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        loud, other = desk.subscribe("loud"), desk.subscribe("other")
        desk.settle()
        for one in (loud, other):
            muted(desk, one, "a")
        desk.store.remove("loud")
        desk.settle()
        desk.owner.step(0)
        assert desk.log.table(TOPIC).get(mute_key(loud, "a")) is None
        assert desk.log.table(TOPIC).get(mute_key(other, "a")) is not None
