"""Star, note, read: forms on articles and hits, and the list of what was starred."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from ingest.article import Article
from ingest.clean import cut
from search.caller import WhoAsks
from search.marks import Mark
from search.pages.frame import Frame, go_to
from search.pages.pieces import TITLE_CHARS, language_of
from search.pages.places import came_from
from search.pages.times import Times
from search.services import Services

PAGE_SIZE = 50


def mark_forms(services: Services, frame: Frame) -> APIRouter:
    """The forms of marks, and ``/starred``."""
    router = APIRouter()

    @router.post("/articles/{article_id}/mark")
    def mark(
        request: Request,
        who: WhoAsks,
        article_id: str,
        starred: Annotated[bool | None, Form()] = None,
        read: Annotated[bool | None, Form()] = None,
        note: Annotated[str, Form()] = "",
        noted: Annotated[bool, Form()] = False,
    ) -> Response:
        """Change the reader's mark of an article, then show where they were.

        An empty note comes like none at all, so ``noted`` says that the form has one.
        """
        text = note if noted else None
        services.marks.change(who.owner, article_id, starred=starred, read=read, note=text)
        return go_to(came_from(request, otherwise=f"/articles/{article_id}"))

    @router.get("/starred", response_class=HTMLResponse)
    def starred(request: Request, who: WhoAsks, page: int = 1) -> HTMLResponse:
        """What the reader starred or noted something about, newest first."""
        found = [one for one in services.marks.all(who.owner) if one.starred or one.note]
        found.sort(key=lambda one: (one.at, one.article_id), reverse=True)
        page, times, index = max(1, page), frame.times(request), services.index()
        shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        known = ((one, index.get(one.article_id)) for one in shown)
        rows = [_row(one, record.article, times) for one, record in known if record]
        is_more = len(found) > page * PAGE_SIZE
        following = "/starred?" + urlencode({"page": page + 1}) if is_more else ""
        return frame.page(request, "starred.html", rows=rows, next_page=following)

    return router


def _row(mark: Mark, article: Article, times: Times) -> dict[str, Any]:
    return {
        "id": article.id,
        "title": cut(article.title, TITLE_CHARS) or "(no title)",
        "lang": language_of(article.language),
        "source": article.source,
        "seen": times.moment(article.seen),
        "starred": mark.starred,
        "note": cut(mark.note, TITLE_CHARS),
    }
