"""What an address needs: no login, or a scope. One table, so that no route can forget it."""

from __future__ import annotations

import re

from search.form_tokens import ONE_CLICK, SAFE_METHODS
from search.scopes import Scope

OPEN = frozenset({"/healthz", "/readyz", "/login", "/favicon.ico"})
OPEN_BELOW = ("/static/", ONE_CLICK)
FEED_OF_SEARCH = re.compile(r"/feeds/search\.(atom|rss|json)")
"""Feed readers cannot log in: the address holds a token of its own, which the route checks."""

ADMIN = re.compile(r"/api/(audit|quarantine)(/.*)?", re.DOTALL)
ADMIN_TO_CHANGE = re.compile(r"(/api)?/(feeds|topics|quarantine|audit)(/.*)?|/.*/erase", re.DOTALL)
"""Feeds and topics are everybody's; erasing is for ever."""

ANYBODY_MAY = frozenset({"/logout"})


def is_open(path: str, *, has_feed_token: bool) -> bool:
    """Whether ``path`` needs no login."""
    if FEED_OF_SEARCH.fullmatch(path):
        return has_feed_token
    return path in OPEN or path.startswith(OPEN_BELOW)


def needed_scope(method: str, path: str) -> Scope:
    """The scope that a request needs."""
    is_safe = method in SAFE_METHODS
    if ADMIN.fullmatch(path) or (not is_safe and ADMIN_TO_CHANGE.fullmatch(path)):
        return "admin"
    return "read" if is_safe or path in ANYBODY_MAY else "write"
