"""F22 and F23, the alerts' part: neither an edit, nor a twin, nor a backfill alerts again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.alerting import START, Newsdesk, revised, story
from tests.receiver import Receiver


async def test_f23_a_typo_mended_and_a_phrase_taken_back_alert_once(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("s", to=receiver.url)
        desk.settle()
        first = story("a", "A truse and a truce.")
        mended = revised(first, "A truce and a truce.")
        taken_back = revised(mended, "Nothing was agreed.")
        for one in (first, mended, taken_back):
            desk.publish(one)
            desk.settle()
        desk.store.backfill("s", since=START - timedelta(days=1))
        desk.settle()
        await desk.sender.once()
        assert [one.data["article"]["id"] for one in receiver.got] == ["a"]


async def test_f22_a_sighting_in_other_feeds_alerts_nobody_again(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("s", to=receiver.url)
        desk.subscribe("each", to=receiver.url, every_article=True)
        desk.settle()
        first = story("a")
        desk.publish(first, *(replace(first, change="feed", order=n) for n in range(1, 40)))
        desk.settle()
        for name in ("s", "each"):
            desk.store.backfill(name, since=START - timedelta(days=1))
        desk.settle()
        desk.rename("s", paused=True)
        desk.settle()
        desk.publish(replace(first, change="feed", order=41))
        desk.store.edit("s", paused=False, catch_up=True)
        desk.settle()
        await desk.sender.once()
        assert len(receiver.got) == 2
        assert len(desk.alerts()) == 2


async def test_f23_a_phrase_that_an_edit_brings_in_alerts_then(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("s", to=receiver.url)
        desk.settle()
        first = story("a", "They talk.")
        desk.publish(first, revised(first, "They talk of a truce."))
        desk.settle()
        await desk.sender.once()
        assert [one.data["article"]["id"] for one in receiver.got] == ["a"]
