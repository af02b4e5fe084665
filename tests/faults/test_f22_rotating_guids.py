"""F22: an article is one article, whatever its guid and its link carry along."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.newsroom import PollStage
from tests.newsserver import NewsServer, item, rss

LINK = "https://www.harbour.example/ferry"


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        LINK + "?utm_source=rss&utm_campaign=poll-{poll}&fbclid={poll}",
        LINK + "?visit={poll}",
        None,
    ],
)
async def test_f22_fifty_polls_of_a_rotating_guid_give_one_article(
    tmp_path: Path, link: str | None
) -> None:
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        feed = stage.feeds.add(site.url("/rss"))
        for poll in range(50):
            url = link.format(poll=poll) if link else None
            site.answer("/rss", rss(item(f"guid-{poll}", "Ferry runs again", link=url)))
            await stage.poller.poll_all_once()
        assert len(stage.sightings()) == 1
        keys = list(stage.log.table("entries").items(f"{feed.id}:"))
        assert len(keys) < 5, "rotating guids must not pile up"


async def test_f22_http_and_https_twins_are_one_article(tmp_path: Path) -> None:
    twins = ["http://harbour.example/ferry", "https://www.harbour.example/ferry/", LINK + "#top"]
    async with NewsServer() as site, PollStage(tmp_path, site.host) as stage:
        stage.feeds.add(site.url("/rss"))
        for twin in twins:
            site.answer("/rss", rss(item(twin, "Ferry runs again", link=twin)))
            await stage.poller.poll_all_once()
        assert len(stage.sightings()) == 1
