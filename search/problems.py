"""Errors of the API: problem documents with a sentence, a hint and, for queries, the caret."""

from __future__ import annotations

import html
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from ingest.errors import GoneError, NotFoundError, UnavailableError, UsageError, WirewatchError

PROBLEM = "application/problem+json"
REFUSAL_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Wirewatch</title>'
    '<link rel="stylesheet" href="/static/wirewatch.css">'
    '<main><p>{sentence}</p><p><a href="/">Wirewatch</a></p></main></html>\n'
)
STATUSES = ((GoneError, 410), (NotFoundError, 404), (UsageError, 400), (UnavailableError, 503))

KINDS = (WirewatchError, RequestValidationError, HTTPException)


def describe_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document (RFC 9457)."""
    for kind in KINDS:
        app.add_exception_handler(kind, _problem)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    return problem_of(error)


def problem_of(error: Exception) -> JSONResponse:
    """The problem document of an error."""
    answer = problem(*described(error))
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)  # such as Allow
    return answer


def described(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status of ``error``, and what is said of it: error, code, hint, caret?."""
    if isinstance(error, WirewatchError):
        status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
        return status, error.as_json()
    if isinstance(error, RequestValidationError):
        return 422, _invalid(error)
    return _no_route(error)


def _invalid(error: RequestValidationError) -> dict[str, Any]:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"][1:])
    hint = "See /openapi.json for the shape."
    return {"error": f"{where}: {fault['msg']}", "code": "usage", "hint": hint}


def _no_route(error: Exception) -> tuple[int, dict[str, Any]]:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = {404: "There is no such address.", 405: "This address does not do that."}
    hint = "See /openapi.json for what there is."
    return status, {"error": sentence.get(status, str(error)), "code": "no-route", "hint": hint}


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
