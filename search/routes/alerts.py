"""Routes of alerts: what was sent, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from ingest.log import Log
from processors.moments import moment
from search import views
from search.alert_state import Alert
from search.caller import Caller, WhoAsks
from search.routes.paging import PageSize
from search.services import Services

ON_ITS_WAY = "It is on its way; see: wirewatch alerts list"
UNSENT = "It was not delivered."


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
        """Deliver a failed alert again, with the same id.

        ``error`` where it failed again, ``sentence`` where another process sends it.
        """
        await run_in_threadpool(views.alert, services.log, alert_id, who=who)
        tried = await services.retry_alert(alert_id)
        return await run_in_threadpool(_retried, services.log, alert_id, tried, who)

    return router


def _retried(log: Log, alert_id: str, tried: str, who: Caller) -> dict[str, Any]:
    found = views.alert(log, alert_id, who=who)
    if not tried:
        return {**found, "error": "", "sentence": ON_ITS_WAY}
    if tried != alert_id:  # its digest, whose fate is written to its members a moment later
        fate = views.alert(log, tried, who=who)
        found = {**found, "state": fate["state"], "attempts": fate["attempts"]}
    errors = [one["error"] for one in found["attempts"] if one["error"]]
    is_sent = found["state"] == "sent"
    return {**found, "error": "" if is_sent else (errors or [UNSENT])[-1], "sentence": ""}


def listed_alerts(
    services: Services, *, state: str, since: str, subscription: str, who: Caller
) -> list[Alert]:
    """Alerts, newest first, as asked for in words. Raises UsageError."""
    wanted = services.subscriptions.get(subscription, who=who).id if subscription else ""
    begin = moment(since, now=datetime.now(UTC)) if since else None
    return views.alerts(services.log, state=state, since=begin, subscription=wanted, who=who)
