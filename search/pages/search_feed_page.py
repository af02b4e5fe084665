"""``/feed``: a search as a feed: its addresses, and tokens for readers that cannot log in."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ingest.errors import NotFoundError, UsageError
from search.caller import LOCAL, Caller, WhoAsks
from search.feed_tokens import FeedTokens
from search.pages.faults import Fault, fault_of
from search.pages.frame import Frame, go_to
from search.services import Services

KINDS = (("atom", "Atom"), ("rss", "RSS"), ("json", "JSON Feed"))
MOST_TOKENS = 50


def search_feed_page(services: Services, frame: Frame) -> APIRouter:
    """The page of a search as a feed."""
    router = APIRouter(prefix="/feed")
    tokens = FeedTokens(services.log)

    @router.get("", response_class=HTMLResponse)
    def shown(request: Request, who: WhoAsks, q: str = "") -> HTMLResponse:
        """The addresses of the search ``q`` as a feed."""
        return _page(request, who, q)

    @router.post("/tokens")
    def add(
        request: Request,
        who: WhoAsks,
        name: Annotated[str, Form()] = "",
        q: Annotated[str, Form()] = "",
    ) -> HTMLResponse:
        """Make a token, and show the addresses with it, this once."""
        try:
            _, token = tokens.add(who.owner, name)
        except UsageError as error:
            return _page(request, who, q, faults={"name": fault_of(error)})
        return _page(request, who, q, token=token)

    @router.post("/tokens/{token_id}/revoke")
    def revoke(who: WhoAsks, token_id: str, q: Annotated[str, Form()] = "") -> Response:
        """Revoke a token."""
        if not who.sees(tokens.get(token_id).owner):
            raise NotFoundError(f"there is no feed token {token_id}")
        tokens.revoke(token_id)
        return go_to("/feed?" + urlencode({"q": q}))

    def _page(
        request: Request,
        who: Caller,
        q: str,
        *,
        token: str = "",
        faults: dict[str, Fault] | None = None,
    ) -> HTMLResponse:
        asked = {"q": q, "token": token} if token else {"q": q}
        base = str(request.base_url).rstrip("/")
        addresses = [
            (name, f"{base}/feeds/search.{kind}?{urlencode(asked)}") for kind, name in KINDS
        ]
        known = [one for one in tokens.all() if who.sees(one.owner)][:MOST_TOKENS]
        return frame.page(
            request,
            "search-feed.html",
            status=400 if faults else 200,
            q=q,
            token_made=token,
            addresses=addresses,
            needs_token=who is not LOCAL,
            tokens=[(one.id, one.name) for one in known],
            faults=faults or {},
        )

    return router
