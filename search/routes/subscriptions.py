"""Routes of subscriptions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from search import views
from search.routes.paging import PageSize
from search.services import Services


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


def subscribing(services: Services, *, from_network: bool) -> APIRouter:
    """Subscriptions; ``from_network`` refuses targets on this machine."""
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
