"""The description of the API, and its page: Swagger UI from a package, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse

from search.form_tokens import FormToken
from search.problems import PROBLEM
from search.security_headers import DOCS

FILES = Path(fastapi_offline.__file__).parent / "static"
KINDS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}

DESCRIPTION = """Search, follow and be told. Errors are problem documents (RFC 9457) with a
sentence, a hint and, for queries, the caret. Lists page by cursor: give `after` back until it is
empty. On the machine itself nothing else is needed; from elsewhere send
`Authorization: Bearer` with a token of `wirewatch accounts add NAME`."""

FAULTS = {
    400: "Cannot be done as it was asked; for a query with the place of the fault.",
    401: "Needs a login, or the token is not one of an account.",
    403: "The account may not do this, or this came from a page of another site.",
    404: "There is no such thing, or it is somebody else's.",
    413: "Brings along more than a request may.",
    422: "Not of the shape that is described here.",
    429: "Too many requests; Retry-After says how long to wait.",
    503: "Log or index do not answer now; the same may succeed later.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": sentence,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, sentence in FAULTS.items()
}
"""What every route may answer beside what it is asked for."""

_TEXT = {"type": "string"}
PROBLEM_SCHEMA = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong, and what to do about it.",
    "required": ["type", "status", "detail", "error", "code", "hint"],
    "properties": {
        "type": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "error": _TEXT,
        "code": _TEXT,
        "hint": _TEXT,
        "caret": {"type": "integer"},
        "place": _TEXT,
    },
}
LOGINS = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "wirewatch_session"},
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="form-token" content="{form_token}">
<title>API - Wirewatch</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/start.js" defer></script>
</head>
<body><div id="swagger-ui"></div></body>
</html>
"""
START = """"use strict";
const token = document.querySelector("meta[name=form-token]").content;
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  requestInterceptor: (request) => {
    request.headers["X-Form-Token"] = token;
    return request;
  },
});
"""


def documentation() -> APIRouter:
    """The page and its files."""
    router = APIRouter(prefix=DOCS, include_in_schema=False)

    @router.get("")
    def page(form_token: FormToken) -> HTMLResponse:
        """Swagger UI, from which the API can be tried."""
        return HTMLResponse(PAGE.format(form_token=form_token))

    @router.get("/start.js")
    def start() -> HTMLResponse:
        """What starts it: no script stands in the page itself."""
        return HTMLResponse(START, media_type="text/javascript")

    for name, kind in KINDS.items():
        answer = FileResponse(FILES / name, media_type=kind)
        router.add_api_route(f"/{name}", lambda answer=answer: answer, response_model=None)

    return router


def describe(app: FastAPI) -> None:
    """Make ``/openapi.json`` say what all routes have in common."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign] # FastAPI's documented way


def _described(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    parts = found.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    parts["securitySchemes"] = LOGINS
    found["security"] = [{}, *({name: []} for name in LOGINS)]
    for path, operations in found["paths"].items():
        for operation in operations.values():
            # The first line of a route's docstring says more than its name.
            operation["summary"] = operation.get("description", "").partition("\n")[0].rstrip(".")
            operation.setdefault("tags", [_tag(path)])
    return found


def _tag(path: str) -> str:
    """The part of the API that an address belongs to: its first word below ``/api``."""
    names = path.strip("/").split("/")
    if names[0] == "api":
        return names[1].partition(".")[0]
    return "feeds out" if names[0] == "feeds" else "state"
