"""``/subscriptions``: who wants what, and the form to want more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ingest.errors import UsageError
from search import views
from search.caller import Caller, WhoAsks
from search.pages.faults import Fault, fault_of
from search.pages.frame import Frame
from search.pages.previews import DAYS, Preview, drawn
from search.pages.secrets_once import show_secrets_at
from search.pages.subscription_form import PERIODS, SCHEDULES, SubscriptionForm
from search.pages.times import Moment, Times
from search.services import Services
from search.subscriptions import Subscription, redacted

PAGE_SIZE = 100
QUERY_CHARS = 200
TARGETS = 5
SAID = {"removed": "It was removed; its alerts stay listed."}


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
    how: str
    to: tuple[str, ...]


def subscription_pages(services: Services, frame: Frame, *, from_network: bool) -> APIRouter:
    """The list of subscriptions, and the form for a new one."""
    router = APIRouter(prefix="/subscriptions")

    @router.get("", response_class=HTMLResponse)
    def subscriptions(
        request: Request, who: WhoAsks, q: str = "", after: str = "", said: str = ""
    ) -> HTMLResponse:
        """Subscriptions by name, and an empty form; ``q`` is put into it."""
        form = SubscriptionForm(query=q, zone=frame.times(request).name)
        return _listed(request, who, form, after=after, said=SAID.get(said, ""))

    @router.post("")
    def add(
        request: Request,
        who: WhoAsks,
        form: Annotated[SubscriptionForm, Form()],
        do: Annotated[str, Form()] = "save",
    ) -> Response:
        """Subscribe, or show what would have been sent."""
        if do == "preview":
            return _listed(request, who, form, **previewed(services, form, frame.times(request)))
        faults = form.faults(services.subscriptions.check_query)
        if not faults:
            try:
                made = services.subscriptions.add(
                    **form.changes(), who=who, from_network=from_network
                )
            except UsageError as error:
                faults = {"name" if error.code == "name-taken" else "to": fault_of(error)}
            else:
                services.changed("subscriptions")
                return show_secrets_at(f"/subscriptions/{made.id}?said=added", made.id)
        return _listed(request, who, form, faults=faults)

    def _listed(
        request: Request,
        who: Caller,
        form: SubscriptionForm,
        *,
        after: str = "",
        said: str = "",
        faults: dict[str, Fault] | None = None,
        preview: Preview | None = None,
    ) -> HTMLResponse:
        times, tallies = frame.times(request), tallies_of(services, who)
        named = services.subscriptions.all(who=who)
        place = next((number for number, one in enumerate(named, 1) if one.id == after), 0)
        shown = named[place : place + PAGE_SIZE]
        is_more = len(named) > place + PAGE_SIZE
        return frame.page(
            request,
            "subscriptions.html",
            status=400 if faults else 200,
            rows=[row_of(one, tallies.get(one.id, Tally()), times) for one in shown],
            next_page=f"/subscriptions?after={shown[-1].id}" if is_more else "",
            said=said,
            **form_values(services, form, who, faults=faults, preview=preview),
        )

    return router


def form_values(
    services: Services,
    form: SubscriptionForm,
    who: Caller,
    *,
    faults: dict[str, Fault] | None = None,
    preview: Preview | None = None,
) -> dict[str, Any]:
    """What the template of the form needs."""
    return {
        "form": form,
        "faults": faults or {},
        "preview": preview,
        "schedules": SCHEDULES,
        "periods": PERIODS,
        "channels": channel_names(services, who),
    }


def channel_names(services: Services, who: Caller) -> list[str]:
    """The names of the channels that ``who`` may choose."""
    own = Caller(owner=who.owner, scopes=frozenset())
    return [one.name for one in services.channels.all(who=own)]


def previewed(services: Services, form: SubscriptionForm, times: Times) -> dict[str, Any]:
    """``preview``, or ``faults`` where the query cannot be subscribed to."""
    try:
        services.subscriptions.check_query(form.query)
        found = services.preview(form.whole_query, DAYS, every_article=form.every_article)
    except UsageError as error:
        return {"faults": {"query": fault_of(error, form.query)}}
    return {"preview": drawn(found, form.whole_query, times)}


def tallies_of(services: Services, who: Caller) -> dict[str, Tally]:
    """Of every subscription that had an alert: how many."""
    counts: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for one in views.all_alerts(services.log, who=who):
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
        how=how_of(one),
        to=tuple(redacted(target)[:100] for target in one.to[:TARGETS]),
    )


def how_of(one: Subscription) -> str:
    """When and how often it tells, in a few words."""
    names = dict(SCHEDULES)
    cron, _, zone = one.digest.partition("@")
    when = names.get(cron.strip(), f"by the schedule {cron}") if cron else "at once"
    found = [f"{when} ({zone})" if zone else when]
    if one.every_article:
        found.append("every article")
    if one.story_updates:
        found.append("stories that grow")
    if one.quiet:
        found.append(f"quiet {one.quiet.replace('@', ' ')}")
    if one.throttle:
        found.append(f"at most {one.throttle}")
    return ", ".join(found)
