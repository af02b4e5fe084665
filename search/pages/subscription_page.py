"""``/subscriptions/{id}``: one subscription and the form to change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ingest.errors import UsageError
from search.caller import Caller, WhoAsks
from search.pages.faults import Fault, fault_of
from search.pages.frame import Frame, go_to
from search.pages.previews import Preview
from search.pages.secrets_once import is_first_look, looked, show_secrets_at
from search.pages.subscription_form import SubscriptionForm, filled
from search.pages.subscription_pages import (
    Tally,
    channel_names,
    form_values,
    previewed,
    row_of,
    tallies_of,
)
from search.services import Services

SAID = {
    "added": "It is active from the next article on.",
    "changed": "It was changed. A changed query counts from now on.",
    "paused": "It is paused.",
    "resumed": "It is active again.",
    "backfill": "History is being matched; what it finds is listed among the alerts.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPage:
    """Renders the page of a subscription, with whatever one of its forms has to say."""

    services: Services
    frame: Frame

    def shown(
        self,
        request: Request,
        who: Caller,
        which: str,
        *,
        said: str = "",
        form: SubscriptionForm | None = None,
        faults: dict[str, Fault] | None = None,
        preview: Preview | None = None,
        tested: Sequence[dict[str, Any]] | None = None,
        since: str = "",
    ) -> HTMLResponse:
        """The page; with the secrets of its webhooks right after these were added."""
        store = self.services.subscriptions
        one = store.get(which, who=who)
        first = is_first_look(request, one.id, who=who)
        tally = tallies_of(self.services, who).get(one.id, Tally())
        form = form or filled(one, channel_names(self.services, who))
        answer = self.frame.page(
            request,
            "subscription.html",
            status=400 if faults else 200,
            row=row_of(one, tally, self.frame.times(request)),
            paused=one.paused,
            secrets=[row for row in store.endpoints(one) if row["secret"]] if first else [],
            tested=tested,
            since=since,
            said=said,
            **form_values(self.services, form, who, faults=faults, preview=preview),
        )
        if first:
            looked(answer)
        return answer


def subscription_page(services: Services, frame: Frame, *, from_network: bool) -> APIRouter:
    """The page of a subscription, and its form."""
    router = APIRouter(prefix="/subscriptions/{which}")
    page, store = SubscriptionPage(services=services, frame=frame), services.subscriptions

    @router.get("", response_class=HTMLResponse)
    def show(request: Request, who: WhoAsks, which: str, said: str = "") -> HTMLResponse:
        """One subscription."""
        return page.shown(request, who, which, said=SAID.get(said, ""))

    @router.post("")
    def change(
        request: Request,
        who: WhoAsks,
        which: str,
        form: Annotated[SubscriptionForm, Form()],
        do: Annotated[str, Form()] = "save",
    ) -> Response:
        """Change it, or show what it would have sent."""
        one = store.get(which, who=who)
        if do == "preview":
            shown = previewed(services, form, frame.times(request))
            return page.shown(request, who, one.id, form=form, **shown)
        faults = form.faults(store.check_query)
        if not faults:
            try:
                made = store.edit(one.id, **form.changes(), who=who, from_network=from_network)
            except UsageError as error:
                faults = {"name" if error.code == "name-taken" else "to": fault_of(error)}
            else:
                services.changed("subscriptions")
                address = f"/subscriptions/{made.id}?said=changed"
                return show_secrets_at(address, made.id) if made.to != one.to else go_to(address)
        return page.shown(request, who, one.id, form=form, faults=faults)

    return router
