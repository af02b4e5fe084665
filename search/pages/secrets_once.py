"""A signing secret is shown once: on the page to which the form leads, and not after a reload.

A cookie that lives a minute says which; it holds no secret, and no other site can set it. Who may
not add it may send the cookie as well, so they see none.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from search.caller import Caller
from search.pages.frame import go_to

COOKIE = "wirewatch_added"
SECONDS = 60


def show_secrets_at(address: str, made_id: str) -> Response:
    """Lead to ``address``, where the secrets of ``made_id`` are shown once."""
    answer = go_to(address)
    answer.set_cookie(COOKIE, made_id, max_age=SECONDS, httponly=True, samesite="strict")
    return answer


def is_first_look(request: Request, made_id: str, *, who: Caller) -> bool:
    """Whether its secrets are to be shown to ``who`` now."""
    return "write" in who.scopes and request.cookies.get(COOKIE) == made_id


def looked(answer: Response) -> None:
    """Show them no more."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
