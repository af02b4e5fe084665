"""What every page has in common: the templates, the reader's zone, the form token, the files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from search.caller import LOCAL, NOBODY, Caller
from search.form_tokens import token_of
from search.pages.times import COOKIE, Times

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

FOUND = 303
"""The answer to a form: look there, with GET; so that a reload sends nothing again."""

PARTS = (
    ("/", "Search"),
    ("/topics", "Topics"),
    ("/subscriptions", "Subscriptions"),
    ("/alerts", "Alerts"),
    ("/channels", "Channels"),
    ("/feeds", "Feeds"),
)


class Frame:
    """Renders pages. One an application.

    Args:
        zone: Of readers whose browser has told none.
    """

    def __init__(self, *, zone: str = "UTC") -> None:
        self._zone = zone
        self.files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}
        joined = b"".join(name.encode() + data for name, data in self.files.items())
        self.version = hashlib.sha256(joined).hexdigest()[:12]
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self, request: Request, template: str, *, status: int = 200, **shown: Any
    ) -> HTMLResponse:
        """The page that ``template`` makes of ``shown``."""
        caller: Caller = getattr(request.state, "caller", LOCAL)
        times = self.times(request)
        text = self._templates.get_template(template).render(
            assets=f"/static/{self.version}",
            parts=PARTS,
            path=request.url.path,
            caller=caller,
            logged_in=caller not in (LOCAL, NOBODY),
            nobody=caller == NOBODY,
            may_write="write" in caller.scopes,
            is_admin="admin" in caller.scopes,
            form_token=token_of(getattr(request.state, "form_secret", "")),
            times=times,
            **shown,
        )
        return HTMLResponse(text, status_code=status)

    def times(self, request: Request) -> Times:
        """Times in the reader's zone."""
        return Times(request.cookies.get(COOKIE) or self._zone)


def go_to(address: str) -> RedirectResponse:
    """The answer to a form that did what was asked."""
    return RedirectResponse(address, status_code=FOUND)
