"""Routes of named channels: where alerts go, and how each receiver does."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from ingest.wire import as_json
from search import views
from search.caller import WhoAsks
from search.channel_health import enabled
from search.channel_store import Channel
from search.routes.paging import PageSize
from search.services import Services


class NewChannel(BaseModel):
    """A channel to make."""

    model_config = ConfigDict(extra="forbid")
    name: str
    target: str


class ChannelChange(BaseModel):
    """Another address for a channel."""

    model_config = ConfigDict(extra="forbid")
    target: str


def channelling(services: Services, *, from_network: bool) -> APIRouter:
    """Channels; ``from_network`` refuses targets on this machine."""
    router = APIRouter(prefix="/channels")
    store = services.channels

    def row(one: Channel) -> dict[str, Any]:
        shown: dict[str, Any] = as_json(store.view(one))
        return shown

    @router.get("")
    def channels(who: WhoAsks, size: PageSize = 200, after: str = "") -> dict[str, Any]:
        """Channels with how each does, by id, a page at a time."""
        found = sorted((one.id, one) for one in store.all(who=who) if one.id > after)
        rows = (row(one) for _, one in found)
        return views.page("channels", rows, size=size, key="id")

    @router.post("", status_code=201)
    def add(new: NewChannel, who: WhoAsks) -> dict[str, Any]:
        """Make a channel; the answer has the signing secret of a webhook."""
        made = store.add(name=new.name, target=new.target, who=who, from_network=from_network)
        services.changed("channels")
        return {**row(made), "secret": store.secret(made)}

    @router.get("/{which}")
    def show(which: str, who: WhoAsks) -> dict[str, Any]:
        """One channel, by id or name."""
        return row(store.get(which, who=who))

    @router.patch("/{which}")
    def change(which: str, changes: ChannelChange, who: WhoAsks) -> dict[str, Any]:
        """Give a channel another address; it counts at once, also for what waits."""
        made = store.edit(which, target=changes.target, who=who, from_network=from_network)
        enabled(services.log, made.listed)
        services.changed("channels")
        return {**row(made), "secret": store.secret(made)}

    @router.delete("/{which}")
    def remove(which: str, who: WhoAsks) -> dict[str, Any]:
        """Remove a channel that no subscription uses."""
        gone = row(store.get(which, who=who))
        store.remove(which, who=who)
        services.changed("channels")
        return gone

    @router.post("/{which}/rotate")
    def rotate(which: str, who: WhoAsks) -> dict[str, Any]:
        """Give a webhook a new signing secret; the old one signs along for 24 hours."""
        made = store.rotate(which, who=who)
        return {**row(made), "secret": store.secret(made)}

    @router.post("/{which}/enable")
    def enable(which: str, who: WhoAsks) -> dict[str, Any]:
        """Put a channel that was given up into use again."""
        one = store.get(which, who=who)
        enabled(services.log, one.listed)
        return row(one)

    @router.post("/{which}/test")
    async def test(which: str, who: WhoAsks) -> dict[str, Any]:
        """Send a test alert to a channel."""
        one = store.get(which, who=who)
        return {"deliveries": [await services.test_channel(one.listed, name=one.name)]}

    return router
