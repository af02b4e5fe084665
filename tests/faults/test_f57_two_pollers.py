"""F57: one address in two feeds that two pollers read, over a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("kafka", reason="the extra for Kafka is not installed")

from ingest.log import Partition
from ingest.quarantine import Quarantine
from ingest.wire import decode
from processors.records import StoryRecord
from processors.worker import Registrar, Tagger
from tests.newsroom import until
from tests.newsserver import item, rss
from tests.pollers import PATIENCE_SECONDS, SPREAD, Fleet, fleet

BOTH = "https://harbour.example/strike"


pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def ships(kafka: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with fleet(kafka, tmp_path) as made:
        yield made


async def test_f57_two_pollers_that_see_one_article_give_one_article_with_two_feeds(
    ships: Fleet, tmp_path: Path
) -> None:
    feeds = {ships.add(number).id for number in SPREAD}
    for number in SPREAD:
        text = f"Dockers in Velmara strike, as desk {number} has it."
        ships.site.answer(f"/{number}", rss(item("1", "Strike", link=BOTH, text=text)))
    first, second = await ships.start("first"), await ships.start("second")
    await ships.at_rest(first, second, feeds=len(feeds))
    await until(lambda: len(ships.articles()) >= len(feeds), seconds=PATIENCE_SECONDS)

    stories = await asyncio.to_thread(registered, ships, tmp_path)
    assert {story.article.id for story in stories} == {stories[0].article.id}
    assert [story.change for story in stories] == ["new"] + ["feed"] * (len(feeds) - 1)
    assert {story.article.revision for story in stories} == {1}
    assert len({story.article.text for story in stories}) == 1
    assert set(stories[-1].article.feeds) == feeds


def registered(ships: Fleet, folder: Path) -> list[StoryRecord]:
    """What tagging and the register make of what was polled."""
    quarantine = Quarantine(ships.log, folder / "quarantine")
    tagger = Tagger(ships.log, quarantine=quarantine)
    registrar = Registrar(ships.log, quarantine=quarantine)
    for stage, group, topic in ((tagger, "tag", "articles"), (registrar, "register", "tagged")):
        place = Partition(topic)
        while (ships.log.committed(group, place) or 0) < ships.log.bounds(place)[1]:
            stage.step(0.2)
    records = ships.log.read(Partition("stories"), 0)
    return [decode(StoryRecord, record.value or b"") for record in records]
