"""Who asks on the port: by token, by the cookie of a session, or from this machine.

Sets ``request.state.caller`` (``search.caller``); what may not be asked ends here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.errors import WirewatchError
from search.account_store import AccountStore
from search.accounts import Account
from search.api_settings import ApiSettings
from search.caller import LOCAL, NOBODY, Caller
from search.form_tokens import SAFE_METHODS, SESSION_COOKIE
from search.permissions import is_open, needed_scope
from search.problems import problem_of, refusal
from search.rate_limits import RateLimit
from search.stream_end import ending

FAILURES_AT_ONCE = 5
FAILURES_PER_MINUTE = 5
"""Of one address. Nobody guesses a token of 256 bits; this spares the log, not the token."""

UNAUTHORISED = 401
HOW_PROGRAMS_LOG_IN = "Send Authorization: Bearer and a token of: wirewatch accounts add NAME"
NOTED_SECONDS = 3600
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""What proxies add: such a request did not begin on this machine, whoever passed it on."""

ASK_AGAIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Wirewatch</title>'
    '<meta http-equiv="refresh" content="0"></html>\n'
)
"""To who follows a link in a mail: browsers keep a Strict cookie back until a page of ours asks."""


class Login:
    """Lets in accounts, and whoever sits at this machine where no login is asked for."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        accounts: AccountStore,
        settings: ApiSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self._noted: dict[str, float] = {}
        self._failures = RateLimit(
            per_minute=FAILURES_PER_MINUTE, burst=FAILURES_AT_ONCE, clock=clock
        )
        per_minute = settings.requests_per_minute
        self._requests = RateLimit(per_minute=per_minute, burst=per_minute, clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            account = None
            if _is_signed(request):
                account = await run_in_threadpool(self._account, request)
        except WirewatchError as error:
            await problem_of(error)(scope, receive, send)
            return
        refused = self._refused(request, account)
        if refused is not None:
            await refused(scope, receive, send)
            return
        request.state.caller = self._caller(request, account)
        request.state.is_https = self._settings.is_https
        if account is None:
            await self._app(scope, receive, self._counting(request, send))
            return
        receive, send = ending(receive, send, when=lambda: self._is_gone(request))
        await self._app(scope, receive, send)

    def _account(self, request: Request) -> Account | None:
        """Whose token or cookie the request carries."""
        token = _bearer(request)
        if token is not None:
            account = self._accounts.by_token(token)
        else:
            account = self._accounts.by_session(request.cookies.get(SESSION_COOKIE, ""))
        now = self._clock()
        if account and now - self._noted.get(account.token, -math.inf) > NOTED_SECONDS:
            self._noted[account.token] = now
            self._accounts.note_use(account)
        return account

    async def _is_gone(self, request: Request) -> bool:
        """Whether the account or session ended since the request began."""
        return await run_in_threadpool(self._account, request) is None

    def _caller(self, request: Request, account: Account | None) -> Caller:
        if account is not None:
            return Caller(
                owner=account.owner, scopes=frozenset(account.scopes), account=account.name
            )
        return NOBODY if self._needs_login(request) else LOCAL

    def _needs_login(self, request: Request) -> bool:
        return self._settings.needs_login or any(name in request.headers for name in FORWARDED)

    def _refused(self, request: Request, account: Account | None) -> Response | None:
        path: str = request.scope["path"]  # as routes have it: no Host can make it another one
        if is_open(path, has_feed_token=bool(request.query_params.get("token"))):
            guesses = path == "/login" and request.method not in SAFE_METHODS
            return _late(request, self._failures, _address(request)) if guesses else None
        if account is None:
            return self._stranger(request)
        scope = needed_scope(request.method, path)
        if scope not in account.scopes:
            return refusal(
                request,
                403,
                f"The account {account.name} may not do this: it needs the scope {scope}.",
                code="scope",
                hint=f"Make one that may: wirewatch accounts add NAME --scope {scope}",
            )
        if late := _late(request, self._requests, account.name):
            return late
        self._requests.count(account.name)
        return None

    def _stranger(self, request: Request) -> Response | None:
        """The refusal of who has no account; None where who sits at this machine needs none."""
        if _bearer(request) is not None:
            address = _address(request)
            if late := _late(request, self._failures, address):
                return late
            self._failures.count(address)
            return _not_let_in(request, "This token is not one of an account.")
        if not self._needs_login(request):
            return None
        if request.method in SAFE_METHODS and "text/html" in request.headers.get("accept", ""):
            if request.headers.get("sec-fetch-site") == "cross-site":
                return HTMLResponse(ASK_AGAIN)
            query = f"?{request.url.query}" if request.url.query else ""
            wanted = quote(request.url.path + query, safe="/")
            return RedirectResponse(f"/login?next={wanted}", status_code=303)
        return _not_let_in(request, "This needs a login.")

    def _counting(self, request: Request, send: Send) -> Send:
        """``send`` that counts a login that failed."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == UNAUTHORISED:
                self._failures.count(_address(request))
            await send(message)

        return sending


def _is_signed(request: Request) -> bool:
    """Whether an account is to be looked for, which waits for the disk."""
    return _bearer(request) is not None or bool(request.cookies.get(SESSION_COOKIE))


def _bearer(request: Request) -> str | None:
    """The token of ``Authorization: Bearer``; None without one."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _address(request: Request) -> str:
    """Who failed to log in; behind a proxy that is what it appended, the last of the list."""
    passed_on = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return passed_on or (request.client.host if request.client else "")


def _late(request: Request, limit: RateLimit, name: str) -> Response | None:
    """The refusal of who asked too often."""
    wait = math.ceil(limit.wait_seconds(name))
    if not wait:
        return None
    answer = refusal(request, 429, f"Too many requests: wait {wait} s.", code="too-often", hint="")
    answer.headers["retry-after"] = str(wait)
    return answer


def _not_let_in(request: Request, sentence: str) -> Response:
    is_page = "text/html" in request.headers.get("accept", "")
    answer = refusal(
        request,
        UNAUTHORISED,
        sentence,
        code="login",
        hint="Log in, then send it again." if is_page else HOW_PROGRAMS_LOG_IN,
    )
    answer.headers["www-authenticate"] = 'Bearer realm="Wirewatch"'
    return answer
