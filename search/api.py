"""The JSON API under ``/api``: search, articles, feeds, topics, subscriptions, alerts.

The same application answers the CLI (Unix socket, or mounted in the command's own process) and
programs on the port. Errors are ``application/problem+json`` with a sentence, a hint and, for
queries, the caret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict

from ingest.errors import NotFoundError
from ingest.feed_store import FeedStore
from ingest.log import Log
from ingest.quarantine import Quarantine
from ingest.wire import as_json
from processors.moments import moment
from processors.query import parse
from processors.topic import Topic
from search import views
from search.index import Index, SearchRequest
from search.problems import describe_problems
from search.subscription_store import SubscriptionStore

NO_PAGE_YET = (
    "Wirewatch is running. There is no web page yet: use the command line "
    "(wirewatch search, wirewatch alerts list) or the API under /api (see /openapi.json).\n"
)
PageSize = Annotated[int, Query(ge=1, le=200)]


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the API works with; the shell that owns the data folder puts it together.

    Attributes:
        index: A function, since ``reindex`` switches to a new one while the API runs.
        changed: Told the name of a list ("feeds", "subscriptions") that was written.
        retry_alert: Gives a failed alert another attempt, with the same id.
        send_test: Sends a test alert; one row a target with its error.
        ready: The sentence of what is not ready yet; empty when all is.
        metrics: The Prometheus text.
    """

    log: Log
    feeds: FeedStore
    subscriptions: SubscriptionStore
    quarantine: Quarantine
    topics: Sequence[Topic]
    index: Callable[[], Index]
    changed: Callable[[str], None]
    retry_alert: Callable[[str], Awaitable[None]]
    send_test: Callable[[str], Awaitable[list[dict[str, Any]]]]
    ready: Callable[[], str]
    metrics: Callable[[], bytes]


class NewFeed(BaseModel):
    """A feed to poll."""

    model_config = ConfigDict(extra="forbid")
    url: str
    title: str = ""
    groups: list[str] = []


class NewSubscription(BaseModel):
    """A subscription to make."""

    model_config = ConfigDict(extra="forbid")
    name: str
    query: str
    to: list[str]
    every_article: bool = False


class SubscriptionChange(BaseModel):
    """What to change of a subscription; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    query: str | None = None
    to: list[str] | None = None
    every_article: bool | None = None
    paused: bool | None = None


def create_api(services: Services, *, from_network: bool) -> FastAPI:
    """The application over ``services``; ``from_network`` refuses targets on this machine."""
    app = FastAPI(title="Wirewatch", openapi_url="/openapi.json", docs_url=None, redoc_url=None)
    describe_problems(app)
    app.include_router(_searching(services), prefix="/api")
    app.include_router(_feeds(services), prefix="/api")
    app.include_router(_subscriptions(services, from_network=from_network), prefix="/api")
    app.include_router(_alerts(services), prefix="/api")
    app.include_router(_state(services))
    return app


def _searching(services: Services) -> APIRouter:
    router = APIRouter()

    @router.get("/search")
    def search(
        q: str,
        since: str = "",
        until: str = "",
        sort: Literal["relevance", "newest", "oldest"] = "newest",
        size: PageSize = 20,
        after: str = "",
        group: bool = False,
        facets: str = "",
        interval: str = "",
    ) -> dict[str, Any]:
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
        )
        return views.search_result(services.index().search(request))

    @router.get("/articles/{article_id}")
    def article(article_id: str) -> dict[str, Any]:
        """One article, its revisions and its way through the stages."""
        return views.article(services.log, services.index(), article_id)

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


def _feeds(services: Services) -> APIRouter:
    router = APIRouter()

    @router.get("/feeds")
    def feeds(size: PageSize = 200, after: str = "") -> dict[str, Any]:
        """Feeds with their health, by id, a page at a time."""
        rows = (as_json(one) for one in services.feeds.health(now=datetime.now(UTC), after=after))
        return views.page("feeds", rows, size=size, key="feed_id")

    @router.post("/feeds", status_code=201)
    def add_feed(new: NewFeed) -> dict[str, Any]:
        """Poll one more feed."""
        feed = services.feeds.add(new.url, title=new.title, groups=new.groups)
        services.changed("feeds")
        return {"feed_id": feed.id, "url": feed.url, "title": feed.title, "groups": feed.groups}

    @router.delete("/feeds/{feed_id}")
    def remove_feed(feed_id: str) -> dict[str, Any]:
        """Stop polling a feed; its articles stay."""
        feed = services.feeds.remove(feed_id)
        services.changed("feeds")
        return {"feed_id": feed.id, "url": feed.url}

    return router


def _subscriptions(services: Services, *, from_network: bool) -> APIRouter:
    router = APIRouter(prefix="/subscriptions")
    store = services.subscriptions

    @router.get("")
    def subscriptions(size: PageSize = 200, after: str = "") -> dict[str, Any]:
        """Subscriptions, by id, a page at a time."""
        found = sorted((one for one in store.all() if one.id > after), key=lambda one: one.id)
        rows = (store.view(one) for one in found)
        return views.page("subscriptions", rows, size=size, key="id")

    @router.post("", status_code=201)
    def add(new: NewSubscription) -> dict[str, Any]:
        """Subscribe to a query or a topic."""
        made = store.add(
            name=new.name,
            query=new.query,
            to=new.to,
            every_article=new.every_article,
            from_network=from_network,
        )
        services.changed("subscriptions")
        return {**store.view(made), "endpoints": store.endpoints(made)}

    @router.get("/{name:path}")
    def show(name: str) -> dict[str, Any]:
        """One subscription, by id or name."""
        return store.view(store.get(name))

    @router.patch("/{name:path}")
    def change(name: str, changes: SubscriptionChange) -> dict[str, Any]:
        """Change a subscription; a changed query counts from now on."""
        made = store.edit(name, from_network=from_network, **changes.model_dump(exclude_none=True))
        services.changed("subscriptions")
        shown = store.view(made)
        return shown if changes.to is None else {**shown, "endpoints": store.endpoints(made)}

    @router.delete("/{name:path}")
    def remove(name: str) -> dict[str, Any]:
        """Remove a subscription; its alerts stay listed."""
        gone = store.remove(name)
        services.changed("subscriptions")
        return store.view(gone)

    @router.post("/{name:path}/test")
    async def test(name: str) -> dict[str, Any]:
        """Send a test alert to every target."""
        return {"deliveries": await services.send_test(store.get(name).id)}

    return router


def _alerts(services: Services) -> APIRouter:
    router = APIRouter(prefix="/alerts")

    @router.get("")
    def alerts(
        state: str = "",
        since: str = "",
        subscription: str = "",
        size: PageSize = 200,
        after: str = "",
    ) -> dict[str, Any]:
        """Alerts, newest first, a page at a time."""
        rows = listed_alerts(services, state=state, since=since, subscription=subscription)
        found = views.rest(rows, after=after, key="alert_id")
        return views.page("alerts", found, size=size, key="alert_id")

    @router.post("/{alert_id}/retry")
    async def retry(alert_id: str) -> dict[str, Any]:
        """Deliver a failed alert again, with the same id."""
        await services.retry_alert(alert_id)
        return views.alert(services.log, alert_id)

    return router


def listed_alerts(
    services: Services, *, state: str, since: str, subscription: str
) -> list[dict[str, Any]]:
    """Alerts, newest first, as asked for in words. Raises UsageError."""
    wanted = services.subscriptions.get(subscription).id if subscription else ""
    begin = moment(since, now=datetime.now(UTC)) if since else None
    return views.alerts(services.log, state=state, since=begin, subscription=wanted)


def _state(services: Services) -> APIRouter:
    router = APIRouter()

    @router.get("/", response_class=PlainTextResponse)
    def page() -> str:
        """A sentence: there is no page yet."""
        return NO_PAGE_YET

    @router.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        """``ok`` while the process answers."""
        return "ok\n"

    @router.get("/readyz", response_class=PlainTextResponse)
    def readyz() -> PlainTextResponse:
        """``ok`` when every stage runs, else 503 and what is missing."""
        missing = services.ready()
        return PlainTextResponse(f"{missing or 'ok'}\n", status_code=503 if missing else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Counters and gauges for Prometheus."""
        return PlainTextResponse(services.metrics(), media_type="text/plain; version=0.0.4")

    return router
