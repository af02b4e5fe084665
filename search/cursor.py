"""The opaque cursor of a page of hits. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ingest.errors import UsageError
from search.index import Sort


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the next page begins: behind (``ms``, ``article_id``), or behind ``position`` hits."""

    sort: Sort
    ms: int = 0
    article_id: str = ""
    position: int = 0


def write_cursor(cursor: Cursor) -> str:
    """``cursor`` as text for a URL."""
    number = cursor.position if cursor.sort == "relevance" else cursor.ms
    text = f"{cursor.sort[0]}{number}:{cursor.article_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, *, sort: Sort) -> Cursor | None:
    """The cursor that ``text`` holds; None for the first page.

    Raises:
        UsageError: it is none, or that of a search with another order.
    """
    if not text:
        return None
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        number, _, article_id = found[1:].partition(":")
        value = int(number)
    except (binascii.Error, ValueError) as error:
        raise _foreign(text) from error
    if found[0] != sort[0] or value < 0:
        raise _foreign(text)
    if sort == "relevance":
        return Cursor(sort=sort, position=value)
    return Cursor(sort=sort, ms=value, article_id=article_id)


def _foreign(text: str) -> UsageError:
    return UsageError(
        f"not a cursor of this search: {text[:80]!r}",
        sentence="This cursor does not belong to this search.",
        hint="Give the `after` of the last page with the same query and order, or leave it out.",
    )
