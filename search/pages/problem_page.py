"""Errors as pages, in the frame of all others; programs are told as problem documents."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response

from search.pages.frame import Frame
from search.problems import KINDS, described, problem_of

FOR_PROGRAMS = ("/api/", "/local/", "/static/", "/feeds/search.", "/openapi.json")
TITLES = {403: "Not allowed", 404: "Not found", 503: "Not now"}


def describe_to_people(app: FastAPI, frame: Frame) -> None:
    """Make errors of ``app`` pages where a browser asks for one."""

    def answer(request: Request, error: Exception) -> Response:
        status, found = described(error)
        asks_for_page = "text/html" in request.headers.get("accept", "")
        if not asks_for_page or request.url.path.startswith(FOR_PROGRAMS):
            return problem_of(error)
        # What is said to programs about addresses and shapes helps nobody in a browser.
        hint = found["hint"] if "openapi" not in found["hint"] else ""
        title = TITLES.get(status, "This did not work")
        return frame.page(
            request, "problem.html", status=status, title=title, sentence=found["error"], hint=hint
        )

    for kind in KINDS:
        app.add_exception_handler(kind, answer)
