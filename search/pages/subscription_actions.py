"""What can be done with a subscription: the buttons of its page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ingest.errors import UsageError
from processors.moments import moment
from search.caller import WhoAsks
from search.pages.faults import fault_of
from search.pages.frame import Frame, go_to
from search.pages.subscription_page import SubscriptionPage
from search.services import Services


def subscription_actions(services: Services, frame: Frame) -> APIRouter:
    """Pause, resume, test, backfill, remove."""
    router = APIRouter(prefix="/subscriptions/{which}")
    page, store = SubscriptionPage(services=services, frame=frame), services.subscriptions

    @router.post("/pause")
    def pause(who: WhoAsks, which: str) -> Response:
        """Alert nobody until it is resumed."""
        return _changed(services, store.edit(which, who=who, paused=True).id, "paused")

    @router.post("/resume")
    def resume(who: WhoAsks, which: str, catch_up: Annotated[bool, Form()] = False) -> Response:
        """Go on, from now or with what matched meanwhile."""
        made = store.edit(which, who=who, paused=False, catch_up=catch_up)
        return _changed(services, made.id, "resumed")

    @router.post("/test")
    async def test(request: Request, who: WhoAsks, which: str) -> HTMLResponse:
        """Send a test alert, and say what each target answered."""
        rows = await services.send_test(store.get(which, who=who).id)
        return page.shown(request, who, which, tested=rows)

    @router.post("/backfill")
    def backfill(
        request: Request, who: WhoAsks, which: str, since: Annotated[str, Form()] = ""
    ) -> Response:
        """Match history with it."""
        one = store.get(which, who=who)
        try:
            made = store.backfill(one.id, since=moment(since, now=datetime.now(UTC)), who=who)
        except UsageError as error:
            faults = {"since": fault_of(error)}
            return page.shown(request, who, which, since=since, faults=faults)
        return _changed(services, made.id, "backfill")

    @router.get("/remove", response_class=HTMLResponse)
    def ask(request: Request, who: WhoAsks, which: str) -> HTMLResponse:
        """Whether it is to be removed."""
        one = store.get(which, who=who)
        return frame.page(request, "remove-subscription.html", id=one.id, name=one.name)

    @router.post("/remove")
    def remove(who: WhoAsks, which: str) -> Response:
        """Forget it."""
        store.remove(which, who=who)
        services.changed("subscriptions")
        return go_to("/subscriptions?said=removed")

    return router


def _changed(services: Services, made_id: str, said: str) -> Response:
    services.changed("subscriptions")
    return go_to(f"/subscriptions/{made_id}?said={said}")
