"""Where a form leads back to: the page it stands on, nothing elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request


def came_from(request: Request, *, otherwise: str) -> str:
    """The path of the page of ours that the browser names as where it was, else ``otherwise``."""
    found = urlsplit(request.headers.get("referer", ""))
    is_ours = found.netloc == request.headers.get("host") and found.path.startswith("/")
    if not is_ours or found.path.startswith(("//", "/\\")):
        return otherwise
    return f"{found.path}?{found.query}" if found.query else found.path
