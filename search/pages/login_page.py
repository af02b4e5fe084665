"""The login: a browser gives its token once and gets a cookie for it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from search.account_store import SESSION_DAYS
from search.audit import account_record
from search.caller import WhoAsks
from search.form_tokens import SESSION_COOKIE
from search.pages.frame import FOUND, Frame
from search.services import Services


def login_page(services: Services, frame: Frame) -> APIRouter:
    """The login page, login and logout."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def page(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002  its name there
        """The form."""
        return frame.page(request, "login.html", sentence="", wanted=own_page(next))

    @router.post("/login")
    def login(
        request: Request,
        token: Annotated[str, Form(max_length=200)],
        next: Annotated[str, Form()] = "/",  # noqa: A002  as above
    ) -> Response:
        """A session for the token, then the page that was asked for."""
        account = services.accounts.by_token(token.strip())
        if account is None:
            return frame.page(
                request,
                "login.html",
                status=401,
                sentence="This token is not one of an account.",
                wanted=own_page(next),
            )
        services.log.append([account_record("login", by=account.name, owner=account.owner)])
        answer = RedirectResponse(own_page(next), status_code=FOUND)
        answer.set_cookie(
            SESSION_COOKIE,
            services.accounts.begin_session(account),
            max_age=SESSION_DAYS * 86_400,
            httponly=True,
            samesite="strict",
            secure=getattr(request.state, "is_https", False),
        )
        return answer

    @router.post("/logout")
    def logout(request: Request, who: WhoAsks) -> Response:
        """The end of the session."""
        if cookie := request.cookies.get(SESSION_COOKIE):
            services.accounts.end_session(cookie)
            services.log.append([account_record("logout", by=who.account, owner=who.owner)])
        answer = RedirectResponse("/login", status_code=FOUND)
        answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def own_page(wanted: str) -> str:
    """``wanted`` where it is a page of ours, else the first page: no login leads elsewhere."""
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    if not is_path or not wanted.isprintable() or "\\" in wanted:
        return "/"
    return quote(wanted, safe="/?&=%:,;+@!$'()*~#-._[]")
