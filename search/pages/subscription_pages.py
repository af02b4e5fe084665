"""``/subscriptions``: who wants what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from search import views
from search.caller import WhoAsks
from search.pages.frame import Frame
from search.pages.times import Moment, Times
from search.services import Services
from search.subscriptions import Subscription, redacted

PAGE_SIZE = 100
QUERY_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many alerts a subscription had, and the last of them."""

    alerts: int = 0
    failed: int = 0
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A subscription as the list shows it."""

    id: str
    name: str
    query: str
    state: str
    alerts: str
    failed: int
    last: Moment | None
    to: tuple[str, ...]


def subscription_pages(services: Services, frame: Frame) -> APIRouter:
    """The list of subscriptions."""
    router = APIRouter(prefix="/subscriptions")

    @router.get("", response_class=HTMLResponse)
    def subscriptions(request: Request, who: WhoAsks) -> HTMLResponse:
        """Subscriptions, by name."""
        times = frame.times(request)
        tallies = tallies_of(services)
        named = [one for one in services.subscriptions.all() if who.sees(one.owner)]
        rows = [row_of(one, tallies.get(one.id, Tally()), times) for one in named[:PAGE_SIZE]]
        return frame.page(request, "subscriptions.html", rows=rows, said="")

    return router


def tallies_of(services: Services) -> dict[str, Tally]:
    """Of every subscription that had an alert: how many."""
    counts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for one in views.all_alerts(services.log):
        counts[one.subscription] += 1
        failed[one.subscription] += one.state == "failed"
        last[one.subscription] = max(one.created, last.get(one.subscription, one.created))
    return {
        name: Tally(alerts=count, failed=failed[name], last=last[name])
        for name, count in counts.items()
    }


def row_of(one: Subscription, tally: Tally, times: Times) -> Row:
    """``one`` in a few words."""
    return Row(
        id=one.id,
        name=one.name,
        query=one.query if len(one.query) <= QUERY_CHARS else one.query[:QUERY_CHARS] + "…",
        state="paused" if one.paused else "active",
        alerts=f"{tally.alerts:,} alert{'' if tally.alerts == 1 else 's'}",
        failed=tally.failed,
        last=times.moment(tally.last),
        to=tuple(redacted(target)[:100] for target in one.to[:5]),
    )
