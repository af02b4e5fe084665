"""Routes of subscriptions: who wants what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from processors.moments import moment
from search import views
from search.caller import WhoAsks
from search.routes.paging import PageSize
from search.services import Services
from search.subscription_files import export_text, imported
from search.subscriptions import narrowed

YAML = "application/yaml"

STORY_ID = r"^[A-Za-z0-9_-]{1,64}$"


class _Times(BaseModel):
    model_config = ConfigDict(extra="forbid")
    digest: str | None = None
    quiet: str | None = None
    throttle: str | None = None
    every_article: bool | None = None
    story_updates: bool | None = None
    paused: bool | None = None


class NewSubscription(_Times):
    """A subscription to make; ``sources`` and ``languages`` narrow its query."""

    name: str
    query: str
    to: list[str]
    sources: list[str] = []
    languages: list[str] = []


class SubscriptionChange(_Times):
    """What to change of a subscription; what is absent stays, an empty text ends it.

    Attributes:
        catch_up: With ``paused: false``: what matched during the pause comes.
    """

    name: str | None = None
    query: str | None = None
    to: list[str] | None = None
    catch_up: bool = False


class Begin(BaseModel):
    """From when on: 2026-11-01, 24h."""

    model_config = ConfigDict(extra="forbid")
    since: str


class StoryToMute(BaseModel):
    """A story that is enough."""

    model_config = ConfigDict(extra="forbid")
    story_id: str = Field(pattern=STORY_ID)


class ToPreview(BaseModel):
    """A query that may become a subscription."""

    model_config = ConfigDict(extra="forbid")
    query: str
    days: int = Field(default=30, ge=1, le=366)
    every_article: bool = False


class File(BaseModel):
    """A file of subscriptions, as ``GET /api/subscriptions.yaml`` gives it."""

    model_config = ConfigDict(extra="forbid")
    text: str
    name: str = "the file"


def subscribing(services: Services, *, from_network: bool) -> APIRouter:
    """Subscriptions; ``from_network`` refuses targets on this machine."""
    router = APIRouter()
    router.include_router(_looking_back(services), prefix="/subscriptions")
    router.include_router(_muting(services), prefix="/subscriptions")
    router.include_router(_listed(services, from_network=from_network), prefix="/subscriptions")
    router.include_router(_files(services, from_network=from_network))
    return router


def _listed(services: Services, *, from_network: bool) -> APIRouter:
    router = APIRouter()
    store = services.subscriptions

    @router.get("")
    def subscriptions(who: WhoAsks, size: PageSize = 200, after: str = "") -> dict[str, Any]:
        """Subscriptions, by id, a page at a time."""
        rows = (store.view(one) for one in store.after(after, who=who))
        return views.page("subscriptions", rows, size=size, key="id")

    @router.post("", status_code=201)
    def add(new: NewSubscription, who: WhoAsks) -> dict[str, Any]:
        """Subscribe to a query or a topic."""
        given = new.model_dump(exclude={"query", "sources", "languages"})
        store.check_query(new.query)  # its caret counts in what was written
        query = narrowed(new.query, sources=new.sources, languages=new.languages)
        made = store.add(**given, query=query, who=who, from_network=from_network)
        services.changed("subscriptions")
        return {**store.view(made), "endpoints": store.endpoints(made)}

    @router.get("/{name:path}")
    def show(name: str, who: WhoAsks) -> dict[str, Any]:
        """One subscription, by id or name."""
        return store.view(store.get(name, who=who))

    @router.patch("/{name:path}")
    def change(name: str, changes: SubscriptionChange, who: WhoAsks) -> dict[str, Any]:
        """Change a subscription; a changed query counts from now on."""
        given = changes.model_dump(exclude_none=True)
        made = store.edit(name, from_network=from_network, who=who, **given)
        services.changed("subscriptions")
        shown = store.view(made)
        return shown if changes.to is None else {**shown, "endpoints": store.endpoints(made)}

    @router.delete("/{name:path}")
    def remove(name: str, who: WhoAsks) -> dict[str, Any]:
        """Remove a subscription; its alerts stay listed."""
        gone = store.remove(name, who=who)
        services.changed("subscriptions")
        return store.view(gone)

    @router.post("/{name:path}/test")
    async def test(name: str, who: WhoAsks) -> dict[str, Any]:
        """Send a test alert to every target; ``sentence`` where another process sends it."""
        one = store.get(name, who=who)
        rows = await services.send_test(one.id)
        on_its_way = f"It is on its way; see: wirewatch alerts list --subscription {one.name}"
        return {"deliveries": rows, "sentence": "" if rows else on_its_way}

    return router


def _looking_back(services: Services) -> APIRouter:
    router = APIRouter()
    store = services.subscriptions

    @router.post("/preview")
    def preview(what: ToPreview) -> dict[str, Any]:
        """What a subscription to a query would have sent in the last days."""
        return services.preview(what.query, what.days, every_article=what.every_article)

    @router.post("/{name:path}/backfill")
    def backfill(name: str, begin: Begin, who: WhoAsks) -> dict[str, Any]:
        """Match history from a time on with one subscription, for it alone."""
        since = moment(begin.since, now=datetime.now(UTC))
        made = store.backfill(name, since=since, who=who)
        services.changed("subscriptions")
        return store.view(made)

    return router


def _muting(services: Services) -> APIRouter:
    router = APIRouter()
    store = services.subscriptions

    @router.post("/{name:path}/mute")
    async def mute(name: str, story: StoryToMute, who: WhoAsks) -> dict[str, Any]:
        """Hear no more of a story."""
        one = store.get(name, who=who)
        await services.mute(one.id, story.story_id)
        return {"subscription": one.id, "story_id": story.story_id, "muted": True}

    @router.delete("/{name:path}/mute/{story_id}")
    async def unmute(
        name: str, story_id: Annotated[str, Path(pattern=STORY_ID)], who: WhoAsks
    ) -> dict[str, Any]:
        """Hear of a story again."""
        one = store.get(name, who=who)
        await services.unmute(one.id, story_id)
        return {"subscription": one.id, "story_id": story_id, "muted": False}

    return router


def _files(services: Services, *, from_network: bool) -> APIRouter:
    router = APIRouter()
    store = services.subscriptions

    @router.get(
        "/subscriptions.yaml", response_class=Response, responses={200: {"content": {YAML: {}}}}
    )
    def export(who: WhoAsks) -> Response:
        """Every subscription, as a file to keep or to move; secrets are left out."""
        return Response(export_text(store.all(who=who)), media_type=YAML)

    @router.post("/subscriptions.yaml")
    def import_file(given: File, who: WhoAsks) -> dict[str, Any]:
        """Add or change subscriptions by name: all of the file, or nothing."""
        report = imported(store, given.text, place=given.name, who=who, from_network=from_network)
        if report["added"] or report["changed"]:
            services.changed("subscriptions")
        return report

    return router
