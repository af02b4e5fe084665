"""Form tokens: what proves that an unsafe request comes from a page of ours (row F51).

A form carries the token in the field ``form_token``, a script in the header ``X-Form-Token``. The
token is derived from the cookie of the session, or of the form where nobody logs in; no page of
another site can read either. So there is no key to keep, and any ``serve`` process can check it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.problems import refusal

FIELD = "form_token"
HEADER = "x-form-token"
SESSION_COOKIE = "wirewatch_session"
FORM_COOKIE = "wirewatch_form"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

ONE_CLICK = "/unsubscribe/"
"""Sent by mail programs (RFC 8058), which have no cookie: the address itself is the secret."""


async def _form_token(request: Request) -> str:  # what is not async is sent to a thread
    """The token for the forms and scripts of the page that is being made."""
    return token_of(getattr(request.state, "form_secret", ""))


FormToken = Annotated[str, Depends(_form_token)]
"""What a page puts into its forms as ``form_token``; the check is ``FormTokens``' business."""


def token_of(secret: str) -> str:
    """The form token that belongs to a cookie's value."""
    made = hmac.digest(secret.encode(), b"wirewatch form", hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


class FormTokens:
    """Refuses unsafe requests that a page of another site made a browser send.

    Programs need no token: they have no cookie of ours, send no Origin and no form, or they have
    an ``Authorization`` that no browser sends by itself.

    Args:
        is_https: Whether browsers come over https, so that the cookie can be Secure.
        max_bytes: A larger form is refused before it is read to its end.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool, max_bytes: int) -> None:
        self._app = app
        self._is_https = is_https
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what is safe, from a program, or from a page of ours."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        given = request.cookies.get(SESSION_COOKIE) or request.cookies.get(FORM_COOKIE)
        secret = given or secrets.token_urlsafe(32)
        request.state.form_secret = secret
        if needs_token(request):
            body = await _read(request, self._max_bytes) if _is_form(request) else b""
            if body is None:
                await refusal(request, 413, "This form is too large.", code="too-large")(
                    scope, receive, send
                )
                return
            if reason := _came_from_elsewhere(request) or await _wrong_token(request, body, given):
                await refusal(request, 403, reason, code="form-token")(scope, receive, send)
                return
            receive = _again(body, receive) if _is_form(request) else receive
        await self._app(scope, receive, send if given else self._with_cookie(send, secret))

    def _with_cookie(self, send: Send, secret: str) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    secure = "; Secure" if self._is_https else ""
                    headers.append(
                        "set-cookie",
                        f"{FORM_COOKIE}={secret}; HttpOnly; SameSite=Strict; Path=/{secure}",
                    )
            await send(message)

        return sending


def needs_token(request: Request) -> bool:
    """Whether a browser may have sent this by itself, to change something."""
    headers, cookies = request.headers, request.cookies
    if request.method in SAFE_METHODS or request.scope["path"].startswith(ONE_CLICK):
        return False
    if headers.get("authorization", "").lower().startswith("bearer "):
        return False
    return (
        "origin" in headers
        or "sec-fetch-site" in headers
        or SESSION_COOKIE in cookies
        or FORM_COOKIE in cookies
        or _is_form(request)
    )


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith(FORM_TYPES)


def _came_from_elsewhere(request: Request) -> str:
    """The sentence that says so; empty where it came from a page of ours."""
    sentence = "This came from a page of another site."
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return sentence
    origin = request.headers.get("origin")
    if origin is None or (origin == "null" and site == "same-origin"):
        return ""
    return "" if urlsplit(origin).netloc == request.headers.get("host", "") else sentence


async def _wrong_token(request: Request, body: bytes, secret: str | None) -> str:
    """The sentence that says so; empty where the token is right."""
    found = request.headers.get(HEADER, "")
    if not found and body:
        with suppress(HTTPException):  # what cannot be read as a form has no token
            async with Request(request.scope, _again(body, request.receive)).form() as form:
                field = form.get(FIELD, "")
            found = field if isinstance(field, str) else ""
    if secret and hmac.compare_digest(found.encode(), token_of(secret).encode()):
        return ""
    return "This page is too old, or its cookie is missing: load it again, then send it again."


async def _read(request: Request, max_bytes: int) -> bytes | None:
    """The body; None where it is too large."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > max_bytes:
            return None
    return bytes(found)


def _again(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives ``body`` first, then what ``receive`` gives (the disconnect)."""
    told = False

    async def receiving() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
