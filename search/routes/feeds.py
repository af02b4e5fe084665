"""Routes of the feed list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict

from ingest.feed_check import CheckReport
from ingest.wire import as_json
from search import views
from search.routes.paging import PageSize
from search.services import Services


class NewFeed(BaseModel):
    """A feed to poll; with ``discover`` it is only looked what feeds there are at the address."""

    model_config = ConfigDict(extra="forbid")
    url: str
    title: str = ""
    groups: list[str] = []
    discover: bool = False


def feed_list(services: Services) -> APIRouter:
    """Feeds: list, add, remove."""
    router = APIRouter()

    @router.get("/feeds")
    def feeds(size: PageSize = 200, after: str = "") -> dict[str, Any]:
        """Feeds with their health, by id, a page at a time."""
        rows = (as_json(one) for one in services.feeds.health(now=datetime.now(UTC), after=after))
        return views.page("feeds", rows, size=size, key="feed_id")

    @router.post("/feeds", status_code=201)
    async def add_feed(new: NewFeed, response: Response) -> dict[str, Any]:
        """Poll one more feed, or say what feeds a site has."""
        if new.discover:
            response.status_code = 200
            return discovered(await services.check_feed(new.url))
        feed = await run_in_threadpool(
            services.feeds.add, new.url, title=new.title, groups=new.groups
        )
        services.changed("feeds")
        return {"feed_id": feed.id, "url": feed.url, "title": feed.title, "groups": feed.groups}

    @router.delete("/feeds/{feed_id}")
    def remove_feed(feed_id: str) -> dict[str, Any]:
        """Stop polling a feed; its articles stay."""
        feed = services.feeds.remove(feed_id)
        services.changed("feeds")
        return {"feed_id": feed.id, "url": feed.url}

    return router


def discovered(report: CheckReport) -> dict[str, Any]:
    """The feeds at an address: itself, or those that a web page there names."""
    found = [{"url": one.url, "title": one.title} for one in report.found]
    if report.state == "ok":
        found = [{"url": report.address, "title": report.title}]
    return {"found": found, "sentence": report.sentence}
