"""Where a form leads back to: a page of ours, nothing elsewhere. Pure."""

from __future__ import annotations


def place_here(address: str, *, otherwise: str) -> str:
    """``address`` where it is a path of this site, else ``otherwise``."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    is_plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if is_path and is_plain else otherwise
