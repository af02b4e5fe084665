"""Errors of the API: problem documents with a sentence, a hint and, for queries, the caret."""

from __future__ import annotations

import html
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from ingest.errors import NotFoundError, UnavailableError, UsageError, WirewatchError

PROBLEM = "application/problem+json"
REFUSAL_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Wirewatch</title>'
    '<link rel="stylesheet" href="/static/wirewatch.css">'
    '<main><p>{sentence}</p><p><a href="/">Wirewatch</a></p></main></html>\n'
)
STATUSES = ((NotFoundError, 404), (UsageError, 400), (UnavailableError, 503))


def describe_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document (RFC 9457)."""
    app.add_exception_handler(WirewatchError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    found = error.as_json() if isinstance(error, WirewatchError) else {"error": str(error)}
    return problem(status, found)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    where = ".".join(str(part) for part in faults[0]["loc"][1:]) if faults else ""
    sentence = f"{where}: {faults[0]['msg']}" if faults else str(error)
    hint = "See /openapi.json for the shape."
    return problem(422, {"error": sentence, "code": "usage", "hint": hint})


def _no_route(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = {404: "There is no such address.", 405: "This address does not do that."}
    hint = "See /openapi.json for what there is."
    found = {"error": sentence.get(status, str(error)), "code": "no-route", "hint": hint}
    return problem(status, found)


def problem(status: int, found: dict[str, Any]) -> JSONResponse:
    """The problem document of an error as ``WirewatchError.as_json`` gives it."""
    body = {"type": "about:blank", "status": status, "detail": found["error"], **found}
    return JSONResponse(body, status_code=status, media_type=PROBLEM)


def refusal(request: Request, status: int, sentence: str, *, code: str, hint: str = "") -> Response:
    """What is said before any route is asked: a page to a browser, a problem to a program."""
    if "text/html" not in request.headers.get("accept", ""):
        return problem(status, {"error": sentence, "code": code, "hint": hint})
    said = html.escape(f"{sentence} {hint}".strip())
    return HTMLResponse(REFUSAL_PAGE.format(sentence=said), status_code=status)
