"""Routes of alerts: what was sent, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from processors.moments import moment
from search import views
from search.alert_state import Alert
from search.caller import Caller, WhoAsks
from search.routes.paging import PageSize
from search.services import Services


class Failed(BaseModel):
    """Which failed alerts: created from a time on (24h, 2026-11-01), of one subscription."""

    model_config = ConfigDict(extra="forbid")
    since: str
    subscription: str = ""


def alerting(services: Services) -> APIRouter:
    """Alerts: list, retry."""
    router = APIRouter(prefix="/alerts")

    @router.get("")
    def alerts(
        who: WhoAsks,
        state: str = "",
        since: str = "",
        subscription: str = "",
        size: PageSize = 200,
        after: str = "",
    ) -> dict[str, Any]:
        """Alerts, newest first, a page at a time."""
        found = listed_alerts(
            services, state=state, since=since, subscription=subscription, who=who
        )
        rest = views.rest(found, after=after, ids=[one.alert_id for one in found])
        return views.page("alerts", map(views.alert_row, rest), size=size, key="alert_id")

    @router.post("/retry")
    async def retry_many(which: Failed, who: WhoAsks) -> dict[str, Any]:
        """Deliver failed alerts again, with their ids: all of a time, or of one subscription."""
        found = listed_alerts(
            services, state="failed", since=which.since, subscription=which.subscription, who=who
        )
        ids = [one.alert_id for one in reversed(found)]  # the oldest first
        await services.retry_alerts(ids)
        return {"retried": len(ids), "alert_ids": ids}

    @router.post("/{alert_id}/retry")
    async def retry(alert_id: str, who: WhoAsks) -> dict[str, Any]:
        """Deliver a failed alert again, with the same id."""
        await run_in_threadpool(views.alert, services.log, alert_id, who=who)
        await services.retry_alert(alert_id)
        return await run_in_threadpool(views.alert, services.log, alert_id, who=who)

    return router


def listed_alerts(
    services: Services, *, state: str, since: str, subscription: str, who: Caller
) -> list[Alert]:
    """Alerts, newest first, as asked for in words. Raises UsageError."""
    wanted = services.subscriptions.get(subscription, who=who).id if subscription else ""
    begin = moment(since, now=datetime.now(UTC)) if since else None
    return views.alerts(services.log, state=state, since=begin, subscription=wanted, who=who)
