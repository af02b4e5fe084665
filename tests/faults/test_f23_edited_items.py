"""F23, the poller's part: an edit is seen as one, and an item that never rests is tamed."""

from __future__ import annotations

from pathlib import Path

from ingest.assembly import MOST_CHANGES
from tests.newsroom import PollStage
from tests.newsserver import NewsServer, item, rss

LINK = "https://harbour.example/ferry"


async def test_f23_typo_and_retraction_are_versions_of_one_article(tmp_path: Path) -> None:
    texts = ["The fery was hit.", "The ferry was hit.", "The ferry was not hit, says its owner."]
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        for text in texts:
            site.answer("/rss", rss(item("1", "Ferry", link=LINK, text=text)))
            await stage.poller.poll_all_once()
        sightings = stage.sightings()
        assert [sighting.article.text for sighting in sightings] == texts
        assert len({sighting.article.id for sighting in sightings}) == 1
        assert len({sighting.article.content_hash for sighting in sightings}) == 3


async def test_f23_an_item_that_changes_at_every_poll_is_sent_24_times_then_daily(
    tmp_path: Path,
) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        for poll in range(MOST_CHANGES + 10):
            text = f"This page was made {poll} seconds ago."
            site.answer("/rss", rss(item("1", "Ferry", link=LINK, text=text)))
            await stage.poller.poll_all_once()
        assert len(stage.sightings()) == MOST_CHANGES + 1
