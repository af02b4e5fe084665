"""Routes of search: articles, stories, topics."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ingest.errors import NotFoundError
from processors.moments import moment
from processors.query import parse
from search import views
from search.caller import WhoAsks
from search.index import EXACT_CANDIDATES, QUICK_CANDIDATES, SearchRequest
from search.routes.marks import mark_row
from search.routes.paging import PageSize
from search.services import Services

THREADS = 16
"""Of the 40 that answer: where searches wait for each other, everything else is answered."""


def searching(services: Services) -> APIRouter:
    """Search, articles, stories and topics."""
    router = APIRouter()
    turns = CapacityLimiter(THREADS)

    @router.get("/search", response_model=dict[str, Any])
    async def search(
        who: WhoAsks,
        q: str,
        since: str = "",
        until: str = "",
        sort: Literal["relevance", "newest", "oldest"] = "newest",
        size: PageSize = 20,
        after: str = "",
        group: bool = False,
        facets: str = "",
        interval: str = "",
    ) -> JSONResponse:
        """Full-text search: ``hits`` and, as ``end``, the totals."""
        now = datetime.now(UTC)
        request = SearchRequest(
            query=parse(q, where="search", now=now),
            sort=sort,
            size=size,
            after=after,
            group=group,
            since=moment(since, now=now) if since else None,
            until=moment(until, now=now) if until else None,
            facets=tuple(name for name in facets.split(",") if name),
            interval=interval,
            counted=EXACT_CANDIDATES if facets or interval else QUICK_CANDIDATES,
        )
        found = partial(_found, services, request, owner=who.owner)
        return await to_thread.run_sync(found, limiter=turns)

    @router.get("/articles/{article_id}")
    def article(who: WhoAsks, article_id: str) -> dict[str, Any]:
        """One article, its revisions and its way through the stages."""
        found = views.article(services.log, services.index(), article_id, who=who)
        mark = services.marks.of(who.owner, [article_id]).get(article_id)
        return {**found, "mark": mark_row(mark)} if mark else found

    @router.get("/stories/{story_id}")
    def story(story_id: str) -> dict[str, Any]:
        """One story with its articles, oldest first."""
        return views.story(services.index(), story_id)

    @router.get("/topics")
    def topics() -> dict[str, Any]:
        """The topics in force."""
        return {"topics": [views.topic(one) for one in services.topics]}

    @router.get("/topics/{topic_id}")
    def topic(topic_id: str) -> dict[str, Any]:
        """One topic, a definition a language."""
        found = [views.topic(one) for one in services.topics if one.id == topic_id]
        if not found:
            raise NotFoundError(f"there is no topic {topic_id}", hint="See: wirewatch topics list")
        return {"id": topic_id, "definitions": found}

    return router


def _found(services: Services, request: SearchRequest, *, owner: str) -> JSONResponse:
    """The answer as it is sent: written here, in a thread, not in the event loop."""
    found = views.search_result(services.index().search(request))
    marks = services.marks.of(owner, [one["id"] for one in found["hits"]])
    for one in found["hits"]:
        if one["id"] in marks:
            one["mark"] = mark_row(marks[one["id"]])
    return JSONResponse(found)
