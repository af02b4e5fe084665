"""Alerts that are held, and go together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import NotFoundError, UsageError
from processors.records import TopicTag
from search.alert_settings import AlertSettings
from search.alert_state import Alert
from search.deliveries import RETRY_SECONDS
from tests.alerting import START, Clock, Newsdesk, story
from tests.receiver import Receiver

WAR = TopicTag(topic="ceasefire", version=1, score=0.9, band="tag")
TRADE = TopicTag(topic="trade", version=1, score=0.8, band="tag")


def by_type(alerts: list[Alert]) -> tuple[list[Alert], list[Alert]]:
    """Digests, and their members."""
    digests = [one for one in alerts if one.type == "digest"]
    return digests, [one for one in alerts if one.type != "digest"]


def states(alerts: list[Alert]) -> Counter[str]:
    return Counter(one.state for one in alerts)


def subscribed(desk: Newsdesk, to: str, **times: Any) -> str:
    """The id of a subscription to truces with such times."""
    made_id = desk.subscribe("truce", to=to)
    desk.settle()
    if times:
        desk.retime("truce", **times)
    return made_id


async def passed(desk: Newsdesk, clock: Clock, **time: float) -> None:
    """Let the time pass in steps, each of which the sender may notice."""
    steps = 20
    for _ in range(steps):
        desk.sender.notify([])
        await asyncio.sleep(0.02)
        clock.now += timedelta(**time) / steps


def published(desk: Newsdesk, *names: str) -> None:
    for name in names:
        desk.publish(story(name))
        desk.settle()


async def test_a_digest_brings_what_came_since_the_last(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        async with desk.sending():
            for name in "abc":
                published(desk, name)
                clock.advance(hours=1)
            held = await desk.until_all("held")
            assert {str(one.next_attempt) for one in held} == {"2026-11-23 08:00:00+00:00"}
            clock.advance(hours=17)
            found = await desk.until_all("sent")
        (digest,), members = by_type(found)
        assert set(digest.members) == {one.alert_id for one in members}
        assert {one.digest for one in members} == {digest.alert_id}
        assert [one.id for one in receiver.got] == [digest.alert_id]
        data = receiver.got[0].data
        assert (data["count"], data["more"], data["part"], data["parts"]) == (3, 0, 1, 1)
        assert data["window"]["since"] == "2026-11-22T12:00:00.000Z"
        assert receiver.verify(
            desk.secrets.make_signing_secret(digest.subscription, digest.acknowledged[0])
        )


async def test_a_digest_groups_by_topic_and_story(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *", every_article=True)
        for one in (
            story("plain"),
            story("trade", topics=(TRADE,)),
            story("war-1", topics=(WAR, TRADE), story_id="war"),
            story("war-2", topics=(WAR,), story_id="war"),
        ):
            desk.publish(one)
            desk.settle()
            clock.advance(seconds=1)
        async with desk.sending():
            clock.advance(days=1)
            await desk.until_all("sent")
        groups = receiver.got[0].data["groups"]
        assert [one["topic"] for one in groups] == ["ceasefire", "trade", "other"]
        ((war,), _, (plain,)) = [one["stories"] for one in groups]
        assert (war["story"], [one["id"] for one in war["articles"]]) == ("war", ["war-1", "war-2"])
        assert set(war["articles"][0]) == {"id", "title", "url", "source", "published", "seen"}
        assert war["why"][0]["clause"] == "truce"
        assert plain["alert_id"] in {one.alert_id for one in desk.alerts()}


async def test_a_member_that_comes_late_goes_into_a_further_digest(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        published(desk, "a", "b")
        desk.publish(story("late"))
        late = Clock(clock.now)
        async with desk.sending():
            clock.advance(hours=20)
            await desk.until_all("sent")
            desk.owner = desk.new_owner(clock=late)  # its clock said that the window was open
            desk.settle()
            found = await desk.until(lambda found: states(found) == {"sent": 5})
        digests, members = by_type(found)
        assert sorted(len(one.members) for one in digests) == [1, 2]
        assert sorted(one for digest in digests for one in digest.members) == sorted(
            one.alert_id for one in members
        )
        assert len(receiver.got) == 2


async def test_quiet_hours_hold_alerts_and_lose_none(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, quiet="12:00-13:00")
        published(desk, "a", "b")
        async with desk.sending():
            held = await desk.until_all("held")
            assert {one.held_for for one in held} == {"quiet"}
            clock.advance(minutes=59, seconds=59)
            published(desk, "c")
            clock.advance(seconds=1)
            await desk.until_all("sent")
            published(desk, "d")
            found = await desk.until_all("sent")
        (digest,), _ = by_type(found)
        assert [one.data.get("count", 0) for one in receiver.got] == [3, 0]
        assert "quiet hours" in receiver.got[0].data["sentence"]
        assert len(digest.members) == 3


async def test_one_alert_that_was_held_goes_as_itself(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, quiet="12:00-13:00")
        published(desk, "a")
        async with desk.sending():
            clock.advance(hours=1)
            (alert,) = await desk.until_all("sent")
        assert receiver.got[0].id == alert.alert_id
        assert receiver.got[0].data["article"]["id"] == "a"


async def test_a_digest_waits_for_the_end_of_quiet_hours(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        times = {"mode": "digest", "digest": "0 6 * * *", "quiet": "22:00-07:00"}
        subscribed(desk, receiver.url, **times)
        published(desk, "a", "b")
        assert {str(one.next_attempt) for one in desk.alerts()} == {"2026-11-23 07:00:00+00:00"}
        async with desk.sending():
            clock.advance(hours=18, minutes=30)
            held = await desk.until_all("held")
            clock.advance(minutes=30)
            await desk.until(lambda found: states(found) == {"sent": len(held) + 1})
        assert len(receiver.got) == 1


async def test_a_throttle_lets_some_go_and_the_rest_together(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, throttle="2/1h")
        async with desk.sending():
            for name in "abcdef":
                published(desk, name)
                clock.advance(minutes=5)
            await desk.until(lambda found: states(found) == {"sent": 2, "held": 4})
            clock.advance(minutes=30)  # an hour after the first
            await desk.until(lambda found: states(found) == {"sent": 7})
            published(desk, "g")  # two have gone within the hour: b and the digest
            await desk.until(lambda found: states(found) == {"sent": 7, "held": 1})
            clock.advance(minutes=5)
            await desk.until_all("sent")
        assert [one.data.get("count", 1) for one in receiver.got] == [1, 1, 4, 1]


async def test_a_throttle_is_one_across_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    for expected in ({"waiting": 2}, {"waiting": 2, "held": 2}):
        async with Newsdesk(folder=tmp_path, clock=clock) as desk:
            if len(expected) == 1:
                subscribed(desk, "stdout:", throttle="2/1h")
            published(desk, *(f"{one}{len(expected)}" for one in "ab"))
            assert states(desk.alerts()) == expected
            ends = {one.next_attempt for one in desk.alerts() if one.state == "held"}
            assert ends <= {START + timedelta(hours=1)}


async def test_a_large_digest_comes_in_parts_and_drops_nothing(tmp_path: Path) -> None:
    clock = Clock()
    settings = AlertSettings(payload_bytes=8_000)
    async with (
        Receiver() as receiver,
        Newsdesk(folder=tmp_path, clock=clock, settings=settings) as desk,
    ):
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        desk.publish(*(story(f"a{one}", title="Harbour talks " + 200 * "x") for one in range(50)))
        desk.settle()
        async with desk.sending():
            clock.advance(days=1)
            found = await desk.until_all("sent")
        digests, members = by_type(found)
        got = sorted(receiver.got, key=lambda one: int(one.data["part"]))
        assert [one.data["part"] for one in got] == list(range(1, len(digests) + 1))
        assert {(one.data["parts"], one.data["count"]) for one in got} == {(len(digests), 50)}
        assert len(digests) > 2
        shown = [
            one["alert_id"]
            for part in got
            for group in part.data["groups"]
            for one in group["stories"]
        ]
        assert sorted(shown) == sorted(one.alert_id for one in members)
        assert max(len(one.body) for one in got) <= settings.payload_bytes


async def test_beyond_its_parts_a_digest_counts_honestly(tmp_path: Path) -> None:
    clock = Clock()
    settings = AlertSettings(payload_bytes=8_000, digest_parts=2)
    async with (
        Receiver() as receiver,
        Newsdesk(folder=tmp_path, clock=clock, settings=settings) as desk,
    ):
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        desk.publish(*(story(f"a{one}") for one in range(100)))
        desk.settle()
        async with desk.sending():
            clock.advance(days=1)
            found = await desk.until_all("sent")
        digests, members = by_type(found)
        first, last = sorted((one.data for one in receiver.got), key=lambda one: int(one["part"]))
        shown = [len(group["stories"]) for one in (first, last) for group in one["groups"]]
        assert (first["more"], last["more"]) == (0, 100 - sum(shown))
        assert f"And {last['more']} more" in last["sentence"]
        assert sum(len(one.members) for one in digests) == len(members) == 100


async def test_members_share_the_fate_of_their_digest_and_a_retry_brings_it(
    tmp_path: Path,
) -> None:
    clock = Clock()
    settings = AlertSettings(disable_after_hours=1000)
    failures: list[int | float] = [500] * (len(RETRY_SECONDS) + 1)
    async with (
        Receiver(answers=failures) as receiver,
        Newsdesk(folder=tmp_path, clock=clock, settings=settings) as desk,
    ):
        subscribed(desk, receiver.url, mode="digest", digest="0 13 * * *")
        published(desk, "a", "b")
        async with desk.sending():
            for number in range(1, len(RETRY_SECONDS) + 2):
                clock.advance(hours=25)
                desk.sender.notify([])
                await receiver.wait_for(number)
                await desk.until(tried(number))
            failed = await desk.until_all("failed")
            (digest,), members = by_type(failed)
            assert {one.digest for one in members} == {digest.alert_id}
            await desk.sender.retry(members[0].alert_id)
            await desk.until_all("sent")
            assert {one.id for one in receiver.got} == {digest.alert_id}
            with pytest.raises(UsageError, match="delivered already"):
                await desk.sender.retry(members[1].alert_id)
            with pytest.raises(NotFoundError):
                await desk.sender.retry("nothing")


def tried(times: int) -> Callable[[list[Alert]], bool]:
    return lambda found: max(len(one.attempts) for one in found) == times


async def test_a_held_alert_can_be_sent_now(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        published(desk, "a", "b")
        async with desk.sending():
            held = await desk.until_all("held")
            await desk.sender.retry(held[0].alert_id)
            await desk.until(lambda found: states(found) == {"sent": 1, "held": 1})
            clock.advance(days=1)
            digests, _ = by_type(await desk.until_all("sent"))
        assert [one.members for one in digests] == [(held[1].alert_id,)]
        assert len(receiver.got) == 2


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ({"mode": "digest", "digest": "0 8 * * *"}, {"mode": "instant"}, False),
        ({"mode": "digest", "digest": "0 8 * * *"}, {"digest": "0 9 * * *"}, True),
        ({"mode": "digest", "digest": "0 8 * * *"}, {"name": "peace"}, True),
        ({"quiet": "11:00-14:00"}, {"quiet": ""}, False),
        ({"quiet": "11:00-14:00"}, {"quiet": "11:00-15:00"}, True),
        ({"throttle": "1/7d"}, {"throttle": ""}, False),
        ({"throttle": "1/7d"}, {"throttle": "1/1h"}, True),
    ],
)
async def test_what_is_held_follows_an_edit(
    tmp_path: Path, before: dict[str, str], after: dict[str, str], *, held: bool
) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, **before)
        at_once = 1 if "throttle" in before else 0
        published(desk, "a", "b", "c")
        async with desk.sending():
            await desk.until(lambda found: states(found)["held"] == 3 - at_once)
            await receiver.wait_for(at_once)
            desk.retime("truce", **after)
            if held:
                clock.advance(minutes=30)
                published(desk, "d")
                await desk.until(lambda found: states(found)["held"] == 4 - at_once)
                assert len(receiver.got) == at_once
                await passed(desk, clock, hours=21, minutes=30)
            await desk.until_all("sent")
            assert len(receiver.got) == at_once + 1


async def test_what_is_held_is_failed_when_its_subscription_is_removed(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        published(desk, "a", "b")
        async with desk.sending():
            await desk.until_all("held")
            desk.store.remove("truce")
            desk.settle()
            found = await desk.until_all("failed")
        assert {one.attempts[-1].error for one in found} == {"The subscription was removed."}
        assert not receiver.got


async def test_what_is_held_stays_so_while_its_subscription_is_paused(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
        published(desk, "a", "b")
        desk.retime("truce", paused=True)
        async with desk.sending():
            clock.advance(days=3)
            desk.subscribe("other", to=receiver.url)
            desk.settle()
            published(desk, "c")
            await desk.until(lambda found: states(found) == {"sent": 1, "held": 2})
            desk.retime("truce", paused=False)  # and what came meanwhile is caught up with
            await desk.until(lambda found: states(found) == {"sent": 4, "held": 1})
        assert [one.data.get("count", 1) for one in receiver.got] == [1, 2]


async def test_what_was_edited_while_nobody_worked_follows_it_too(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver:
        async with Newsdesk(folder=tmp_path, clock=clock) as desk:
            subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *")
            published(desk, "a", "b")
            desk.retime("truce", mode="instant")
        async with Newsdesk(folder=tmp_path, clock=clock) as desk, desk.sending():
            await desk.until_all("sent")
        assert [one.data["count"] for one in receiver.got] == [2]


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize(
    "times", [{"throttle": "1/10m"}, {"mode": "digest", "digest": "0 * * * *"}]
)
async def test_a_clock_that_jumps_loses_and_doubles_nothing(
    tmp_path: Path, hours: int, times: dict[str, str]
) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, **times)
        published(desk, "a", "b", "c")
        async with desk.sending():
            await desk.until(lambda found: states(found)["held"] > 1)
            clock.advance(hours=hours)
            published(desk, "d", "e")
            # Nobody waits longer than the rule says, by the clock that runs now.
            await passed(desk, clock, minutes=20 if "throttle" in times else 120)
            found = await desk.until_all("sent")
        digests, members = by_type(found)
        brought = [one for digest in digests for one in digest.members]
        alone = [one.alert_id for one in members if not one.digest]
        assert sorted([*brought, *alone]) == sorted(one.alert_id for one in members)
        assert sorted(one.id for one in receiver.got) == sorted(
            [*alone, *(one.alert_id for one in digests)]
        )


async def test_once_gives_each_due_delivery_one_attempt_and_makes_no_digest(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Newsdesk(folder=tmp_path, clock=clock) as desk:
        subscribed(desk, receiver.url, mode="digest", digest="0 8 * * *", quiet="07:00-23:00")
        published(desk, "a", "b")
        desk.owner.hurry(on=True)
        published(desk, "c")
        await desk.sender.once()
        assert states(desk.alerts()) == {"sent": 1, "held": 2}
        clock.advance(days=1, hours=12)
        await desk.sender.once()
        assert states(desk.alerts()) == {"sent": 3}
        assert {one.type for one in desk.alerts()} == {"article.matched"}
        assert len(receiver.got) == 3
