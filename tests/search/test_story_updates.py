"""Alerts that a story has grown, for those who ask for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from processors.records import StoryRecord
from search.deliveries import size_step
from tests.alerting import Newsdesk, revised, story
from tests.receiver import Receiver


def grown(name: str, size: int, **more: Any) -> StoryRecord:
    return replace(story(name, story_id="s"), size=size, **more)


def told(desk: Newsdesk) -> list[tuple[str, int]]:
    found = [(one.created, one.type, one.story_size) for one in desk.alerts()]
    return [(kind, size) for _, kind, size in sorted(found)]


@pytest.mark.parametrize(
    ("size", "step"),
    [(0, 0), (1, 0), (2, 2), (4, 2), (5, 5), (9, 5), (10, 10), (19, 10), (20, 20), (999, 500),
     (1000, 1000)],
)  # fmt: skip
def test_steps_are_two_five_and_ten(size: int, step: int) -> None:
    assert size_step(size) == step


async def test_who_asked_hears_when_a_story_reaches_a_step(tmp_path: Path) -> None:
    async with Receiver() as receiver, Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce", to=receiver.url)
        desk.settle()
        desk.retime("truce", story_updates=True)
        for size in range(1, 13):
            desk.publish(grown(f"a{size}", size))
            desk.settle()
        assert told(desk) == [
            ("article.matched", 1),
            ("story.grew", 2),
            ("story.grew", 5),
            ("story.grew", 10),
        ]
        await desk.sender.once()
        bodies = [one.data for one in receiver.got]
        assert len({one.id for one in receiver.got}) == 4
        assert sorted(one["story"]["size"] for one in bodies) == [1, 2, 5, 10]
        assert {one.type for one in desk.alerts()} == {"article.matched", "story.grew"}


async def test_in_one_batch_too(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce")
        desk.settle()
        desk.retime("truce", story_updates=True)
        desk.publish(*(grown(f"a{size}", size) for size in range(1, 7)))
        desk.settle()
        assert sorted(told(desk)) == [("article.matched", 1), ("story.grew", 2), ("story.grew", 5)]


async def test_a_story_claimed_late_is_told_of_its_next_step(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce")
        desk.settle()
        desk.retime("truce", story_updates=True)
        for size in (12, 13, 21, 60):
            desk.publish(grown(f"a{size}", size))
            desk.settle()
        assert told(desk) == [("article.matched", 12), ("story.grew", 21), ("story.grew", 60)]


async def test_copies_edits_and_who_did_not_ask_alert_nobody(tmp_path: Path) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("calm")
        desk.subscribe("all", every_article=True)
        desk.subscribe("asked")
        desk.settle()
        desk.retime("all", story_updates=True)
        desk.retime("asked", story_updates=True)
        first = grown("a", 1)
        desk.publish(first)
        desk.settle()
        desk.publish(replace(revised(first, "The truce holds."), size=3))
        desk.publish(grown("copy", 4, copy_of="a"))
        desk.settle()
        assert sorted(told(desk)) == [("article.matched", 1)] * 3 + [("article.matched", 4)]


async def test_a_step_told_of_a_story_is_told_of_the_one_it_was_merged_into(
    tmp_path: Path,
) -> None:
    async with Newsdesk(folder=tmp_path) as desk:
        desk.subscribe("truce")
        desk.settle()
        desk.retime("truce", story_updates=True)
        desk.publish(grown("a", 1), grown("b", 2))
        desk.settle()
        desk.link("s", "old")
        desk.publish(replace(grown("c", 3), story_id="old", absorbed=("s",)))
        desk.settle()
        assert sorted(told(desk)) == [("article.matched", 1), ("story.grew", 2)]
