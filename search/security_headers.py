"""The headers of every answer on the port: what a browser may do with it (rows F48, F49)."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)
"""Nothing inline, nothing from elsewhere, no image at all (a tracking pixel is one)."""

DOCS_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
"""Swagger UI writes style attributes, has its icons in data: URLs and sets innerHTML."""

DOCS = "/docs"

HEADERS = {
    "x-content-type-options": "nosniff",
    # Not no-referrer: with that browsers send "Origin: null" with our own forms, and where the
    # way is plain http there is no Sec-Fetch-Site to tell them from forms of other sites.
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """Sets the headers on every answer, also on errors of the middleware within."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["content-security-policy"] = DOCS_POLICY if path == DOCS else PAGE_POLICY
                headers.setdefault("cache-control", "no-store")  # what is shown is somebody's own
            await send(message)

        await self._app(scope, receive, with_headers)
