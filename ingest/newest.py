"""The newest entries of a document with very many, chosen before anything is parsed.

Works on the text, in linear time: a feed of 50,000 items would else cost half a minute to read
two thousand.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from ingest.dates import parse_date

_ENTRY: Final = re.compile(r"<((?:[\w.-]+:)?(?:item|entry))(?=[\s>/])", re.IGNORECASE)
_DATE: Final = re.compile(
    r"<(?:pubDate|(?:dc:|dcterms:)?(?:date|issued|modified)|published|updated)\b[^>]{0,200}>"
    r"\s*(?:<!\[CDATA\[)?([^<\]]{4,80})",
    re.IGNORECASE,
)
_UNDATED: Final = datetime.min.replace(tzinfo=UTC)


def keep_newest(document: str, *, max_entries: int) -> tuple[str, int]:
    """``document`` with its newest ``max_entries`` entries in their order, and how many went.

    Entries without a date count as old; where dates are equal the first ones stay.
    """
    starts = [match.start() for match in _ENTRY.finditer(document)]
    surplus = len(starts) - max_entries
    if surplus <= 0:
        return document, 0
    name = _ENTRY.match(document, starts[-1])
    closing = f"</{name[1]}" if name else "</"
    last = document.rfind(closing)
    end = document.find(">", last) + 1 if last > starts[-1] else len(document)
    bounds = [*starts, end]
    dates = [_date(document, start, until) for start, until in pairwise(bounds)]
    ranked = sorted(range(len(starts)), key=lambda at: dates[at], reverse=True)
    kept = sorted(ranked[:max_entries])
    pieces = [document[: starts[0]]]
    pieces += [document[bounds[at] : bounds[at + 1]] for at in kept]
    pieces.append(document[end:])
    return "".join(pieces), surplus


def _date(document: str, start: int, until: int) -> datetime:
    match = _DATE.search(document, start, until)
    return (parse_date(match[1]) if match else None) or _UNDATED
