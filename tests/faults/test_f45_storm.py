"""F45: 10,000 matches within a minute are the limit's alerts and one digest with a count."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from search.alert_settings import AlertSettings
from search.timing import Throttle
from tests.alerting import START, Clock, Newsdesk, story
from tests.receiver import Receiver

MATCHES = 10_000
LIMIT = Throttle.parse(AlertSettings().storm)


async def test_f45_a_storm_is_some_alerts_and_one_digest_that_counts_the_rest(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with (
        Receiver() as stormy,
        Receiver() as calm,
        Newsdesk(folder=tmp_path, clock=clock) as desk,
    ):
        desk.subscribe("truce", to=stormy.url)
        calm_id = desk.subscribe("rain", "rain", to=calm.url)
        desk.settle()
        started = time.monotonic()
        for first in range(0, MATCHES, 500):
            desk.publish(*(story(f"a{first + one}") for one in range(500)))
            desk.settle()
            clock.advance(seconds=2)
        print(f"{MATCHES} claimed in {time.monotonic() - started:.1f} s")
        desk.publish(story("wet", "Rain is coming."))
        desk.settle()
        async with desk.sending():
            await calm.wait_for(1)
            waited = clock.now - START
            await stormy.wait_for(LIMIT.count)
            assert calm.got[0].data["subscription"]["id"] == calm_id
            assert len(stormy.got) == LIMIT.count
            clock.now = START + LIMIT.window
            started = time.monotonic()
            await stormy.wait_for(LIMIT.count + 1)
            print(f"brought in {time.monotonic() - started:.1f} s")
            found = await desk.until_all("sent", look_seconds=1.0)
        assert waited < LIMIT.window
        held = MATCHES - LIMIT.count
        (digest,) = [one for one in found if one.type == "digest"]
        data = stormy.got[-1].data
        shown = sum(len(group["stories"]) for group in data["groups"])
        assert len(stormy.got) == LIMIT.count + 1
        assert (data["count"], data["more"]) == (held, held - shown)
        assert f"And {held - shown} more" in data["sentence"]
        assert "more than any subscription sends one by one" in data["sentence"]
        assert len(stormy.got[-1].body) <= AlertSettings().payload_bytes
        assert len(digest.members) == held
        assert Counter(one.digest for one in found)[digest.alert_id] == held
        assert len({one.article_id for one in found}) == MATCHES + 2  # the digest has none


async def test_f45_what_comes_after_goes_one_by_one_again(tmp_path: Path) -> None:
    clock = Clock()
    settings = AlertSettings(storm="2/1m")
    async with (
        Receiver() as receiver,
        Newsdesk(folder=tmp_path, clock=clock, settings=settings) as desk,
    ):
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        async with desk.sending():
            desk.publish(*(story(f"a{one}") for one in range(5)))
            desk.settle()
            await receiver.wait_for(2)
            clock.advance(minutes=1)
            await desk.until_all("sent")
            clock.advance(minutes=1)
            desk.publish(story("b"))
            desk.settle()
            await desk.until_all("sent")
        assert [one.data.get("count", 1) for one in receiver.got] == [1, 1, 3, 1]


async def test_f45_without_a_limit_nothing_is_held(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path, settings=AlertSettings(storm="")) as desk:
        desk.subscribe("truce")
        desk.settle()
        desk.publish(*(story(f"a{one}") for one in range(100)))
        desk.settle()
        assert {one.state for one in desk.alerts()} == {"waiting"}
