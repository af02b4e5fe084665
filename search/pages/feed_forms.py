"""The forms of ``/feeds``: add by address or homepage, import and export a list, remove."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from ingest.errors import FileError, UsageError
from ingest.feed_check import CheckReport
from search.pages.faults import Fault, fault_of
from search.pages.feed_pages import FeedPage
from search.pages.frame import Frame, go_to
from search.services import Services

MOST_FOUND = 20
MOST_REFUSED = 20


def feed_forms(services: Services, frame: Frame) -> APIRouter:
    """Add, import, export, remove."""
    router = APIRouter(prefix="/feeds")
    page = FeedPage(services=services, frame=frame)

    @router.post("")
    async def add(
        request: Request,
        url: Annotated[str, Form()] = "",
        anyway: Annotated[bool, Form()] = False,
    ) -> Response:
        """Poll one more feed; of a web page, offer the feeds that it names.

        What cannot be read now is polled only where that is asked for ``anyway``.
        """
        try:
            report = None if anyway else await services.check_feed(url)
            if report is not None and report.state != "ok":
                return await run_in_threadpool(_offered, page, request, url, report)
            await run_in_threadpool(services.feeds.add, url)
        except UsageError as error:
            faults = {"url": fault_of(error)}
            return await run_in_threadpool(page.shown, request, status=400, url=url, faults=faults)
        services.changed("feeds")
        return go_to("/feeds?said=added")

    @router.post("/import")
    def import_list(request: Request, file: UploadFile) -> Response:
        """Add every feed of an OPML document or a list of addresses."""
        try:
            report = services.feeds.import_list(file.file.read(), name=file.filename or "the list")
        except FileError as error:
            faults = {"file": fault_of(error)}
            return page.shown(request, status=400, faults=faults)
        if report.added:
            services.changed("feeds")
        told = {
            "added": len(report.added),
            "skipped": len(report.skipped),
            "refused": [(row.line, row.reason[:200]) for row in report.refused[:MOST_REFUSED]],
            "more": max(0, len(report.refused) - MOST_REFUSED),
        }
        return page.shown(request, report=told)

    @router.get("/export.opml")
    def export() -> Response:
        """The list as OPML."""
        name = {"content-disposition": 'attachment; filename="wirewatch-feeds.opml"'}
        return Response(services.feeds.opml(), media_type="text/x-opml", headers=name)

    @router.get("/{feed_id}/remove", response_class=HTMLResponse)
    def ask(request: Request, feed_id: str) -> HTMLResponse:
        """Whether it is to be removed."""
        one = services.feeds.get(feed_id)
        return frame.page(request, "remove-feed.html", id=one.id, title=one.title or one.url)

    @router.post("/{feed_id}/remove")
    def remove(feed_id: str) -> Response:
        """Stop polling a feed."""
        services.feeds.remove(feed_id)
        services.changed("feeds")
        return go_to("/feeds?said=removed")

    return router


def _offered(page: FeedPage, request: Request, url: str, report: CheckReport) -> HTMLResponse:
    """Why it is not polled; with a button for each feed that a web page at the address names."""
    found = [(one.url, one.title[:200] or one.url) for one in report.found[:MOST_FOUND]]
    if found:
        return page.shown(request, url=url, found=found)
    faults = {"url": Fault(sentence=report.sentence, hint=report.hint)}
    return page.shown(request, status=400, url=url, faults=faults, anyway=True)
