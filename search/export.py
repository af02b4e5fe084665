"""All that a search finds as lines of CSV or JSON, a page at a time: any size, little memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from search.index import MAX_SIZE, Hit, Index, SearchRequest
from search.views import hit as hit_row

Format = Literal["csv", "jsonl"]

COLUMNS = (
    "seen",
    "published",
    "source",
    "title",
    "url",
    "language",
    "topics",
    "authors",
    "story_id",
    "copies",
    "id",
)

BOM = "\ufeff"
"""Without it spreadsheets take UTF-8 for the charset of their country."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  as wide


def pages(index: Index, request: SearchRequest) -> Iterator[Sequence[Hit]]:
    """What ``request`` finds, newest first, in pages; articles that come meanwhile are left out.

    Raises:
        QueryError: above the work limits.
        UnavailableError: the index went away; also in the middle.
    """
    after = ""
    while True:
        asked = replace(
            request, size=MAX_SIZE, after=after, sort="newest", highlights=False, counted=0
        )
        found = index.search(asked)
        yield found.hits
        after = found.after
        if not after:
            return


def row(hit: Hit) -> dict[str, Any]:
    """A hit as it is exported: as searches show it, without what belongs to one search."""
    shown = hit_row(hit)
    del shown["score"], shown["highlights"]
    return shown


def as_lines(rows: Iterable[Mapping[str, Any]], kind: Format) -> str:
    """The lines of ``rows``."""
    if kind == "jsonl":
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)
    out = io.StringIO()
    csv.writer(out).writerows([[cell(one[name]) for name in COLUMNS] for one in rows])  # CRLF
    return out.getvalue()


def head(kind: Format) -> str:
    """What stands before the first line."""
    return BOM + ",".join(COLUMNS) + "\r\n" if kind == "csv" else ""


def cell(value: Any) -> str:
    """``value`` as a spreadsheet shows it and never runs it (row F50)."""
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    text = text.replace("\x00", "")
    return f"'{text}" if text.startswith(_FORMULA) else text
