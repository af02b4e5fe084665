"""``/articles/{id}/erase``: delete an article everywhere, for a reason that stays."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from ingest.errors import UsageError
from search import views
from search.caller import Caller, WhoAsks
from search.pages.faults import Fault, fault_of
from search.pages.frame import Frame
from search.pages.pieces import TITLE_CHARS
from search.services import Services


def erase_page(services: Services, frame: Frame) -> APIRouter:
    """The question, and what became of it. Only administrators get here (the login's table)."""
    router = APIRouter(prefix="/articles/{article_id}/erase")

    @router.get("", response_class=HTMLResponse)
    def ask(request: Request, who: WhoAsks, article_id: str) -> HTMLResponse:
        """Whether, and why."""
        return _asked(request, who, article_id, {})

    @router.post("")
    async def erase(
        request: Request, who: WhoAsks, article_id: str, reason: Annotated[str, Form()] = ""
    ) -> Response:
        """Erase it from log, index and alerts."""
        try:
            made = await services.erase(article_id, reason, who.account)
        except UsageError as error:
            if error.code == "not-found":
                raise
            faults = {"reason": fault_of(error)}
            return await run_in_threadpool(_asked, request, who, article_id, faults)
        return frame.page(request, "erased.html", id=article_id, reason=made["reason"])

    def _asked(
        request: Request, who: Caller, article_id: str, faults: dict[str, Fault]
    ) -> HTMLResponse:
        found = views.article(services.log, services.index(), article_id, who=who)
        return frame.page(
            request,
            "erase.html",
            status=400 if faults else 200,
            id=article_id,
            title=found["title"][:TITLE_CHARS] or "(no title)",
            faults=faults,
        )

    return router
