"""F56, the alerts' part: a first poll with old entries and a replay send nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from search.explain import explain_match
from tests.alerting import START, Newsdesk, story
from tests.receiver import Receiver


async def test_f56_old_entries_of_a_first_poll_and_replays_are_not_alerted(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.publish(*(story(f"old{number}", cause="first-poll") for number in range(500)))
        desk.publish(*(story(f"again{number}", cause="replay") for number in range(50)))
        desk.publish(story("retagged", cause="replay", change="retag"), story("new"))
        desk.settle()
        await desk.sender.once()
        assert [one.data["article"]["id"] for one in receiver.got] == ["new"]
        told = explain_match(desk.log, desk.store.get("truce"), "old1")["sentence"]
        assert told == (
            "No alert: it was old, or undated, when its feed was polled for the first time."
        )


async def test_f56_history_alerts_only_who_asks_for_it(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("asks", to=receiver.url)
        desk.subscribe("bystander", to=receiver.url)
        desk.settle()
        desk.publish(*(story(f"old{number}", cause="first-poll") for number in range(30)))
        desk.settle()
        desk.store.backfill("asks", since=START - timedelta(days=1))
        desk.settle()
        await desk.sender.once()
        assert {one.data["subscription"]["name"] for one in receiver.got} == {"asks"}
        assert len(desk.alerts()) == 30
