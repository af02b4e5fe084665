"""``/channels``: where alerts go, under names, and how each receiver does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ingest.errors import UsageError
from ingest.wire import as_json
from search.caller import Caller, WhoAsks
from search.channel_health import enabled
from search.channel_store import Channel
from search.pages.faults import fault_of
from search.pages.frame import Frame, go_to
from search.pages.secrets_once import is_first_look, looked, show_secrets_at
from search.pages.times import Times
from search.services import Services

MOST = 100
CHARS = 200
SAID = {
    "added": "It can be chosen in subscriptions now.",
    "removed": "It was removed.",
    "rotated": "It has a new signing secret; the old one signs along for 24 hours.",
    "enabled": "It is in use again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPage:
    """Renders the page of channels, with whatever one of its forms has to say."""

    services: Services
    frame: Frame

    def shown(self, request: Request, who: Caller, **said: Any) -> HTMLResponse:
        """The page; ``said``: said, given, faults, tested."""
        store = self.services.channels
        told = {
            "said": "",
            "given": {"name": "", "target": ""},
            "faults": {},
            "tested": None,
            **said,
        }
        found = store.all(who=who)[:MOST]
        new = [one for one in found if is_first_look(request, one.id, who=who)]
        answer = self.frame.page(
            request,
            "channels.html",
            status=400 if told["faults"] else 200,
            rows=[self._row(one, self.frame.times(request)) for one in found],
            secrets=[(one.name, store.secret(one)) for one in new if store.secret(one)],
            **told,
        )
        if new:
            looked(answer)
        return answer

    def _row(self, one: Channel, times: Times) -> dict[str, Any]:
        row: dict[str, Any] = as_json(self.services.channels.view(one))
        for name in ("to", "disabled"):
            row[name] = row[name][:CHARS]
        for name in ("failing_since", "last_ok"):
            row[name] = times.moment(row[name])
        return row


def channel_pages(services: Services, frame: Frame, *, from_network: bool) -> APIRouter:
    """The list of channels and its forms."""
    router = APIRouter(prefix="/channels")
    page, store = ChannelPage(services=services, frame=frame), services.channels

    @router.get("", response_class=HTMLResponse)
    def channels(request: Request, who: WhoAsks, said: str = "") -> HTMLResponse:
        """Channels by name."""
        return page.shown(request, who, said=SAID.get(said, ""))

    @router.post("")
    def add(
        request: Request,
        who: WhoAsks,
        name: Annotated[str, Form()] = "",
        target: Annotated[str, Form()] = "",
    ) -> Response:
        """Make a channel."""
        try:
            made = store.add(
                name=name.strip(), target=target.strip(), who=who, from_network=from_network
            )
        except UsageError as error:
            field = "name" if error.code in ("bad-name", "name-taken") else "target"
            given = {"name": name, "target": target}
            return page.shown(request, who, given=given, faults={field: fault_of(error)})
        services.changed("channels")
        return show_secrets_at("/channels?said=added", made.id)

    return router


def channel_actions(services: Services, frame: Frame) -> APIRouter:
    """What can be done with a channel: test, new secret, use again, remove."""
    router = APIRouter(prefix="/channels")
    page, store = ChannelPage(services=services, frame=frame), services.channels

    @router.post("/{which}/test")
    async def test(request: Request, who: WhoAsks, which: str) -> HTMLResponse:
        """Send a test alert, and say what the receiver answered."""
        one = store.get(which, who=who)
        tested = await services.test_channel(one.listed, name=one.name)
        return page.shown(request, who, tested={"name": one.name, "error": tested["error"]})

    @router.post("/{which}/rotate")
    def rotate(who: WhoAsks, which: str) -> Response:
        """Give it a new signing secret."""
        return show_secrets_at("/channels?said=rotated", store.rotate(which, who=who).id)

    @router.post("/{which}/enable")
    def enable(who: WhoAsks, which: str) -> Response:
        """Put it into use again."""
        enabled(services.log, store.get(which, who=who).listed)
        return go_to("/channels?said=enabled")

    @router.post("/{which}/remove")
    def remove(request: Request, who: WhoAsks, which: str) -> Response:
        """Forget it."""
        one = store.get(which, who=who)
        try:
            store.remove(one.id, who=who)
        except UsageError as error:
            return page.shown(request, who, faults={one.id: fault_of(error)})
        services.changed("channels")
        return go_to("/channels?said=removed")

    return router
