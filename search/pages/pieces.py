"""Texts of feeds for a page: pieces with what is to be marked, cut to the room there is. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.clean import cut
from search.highlights import merged

TITLE_CHARS = 200
"""Of a title in a list: two lines; a title has up to 1,000."""

MOST_MARKS = 40
"""Of one text; a query for every second word must not make a page of marks."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_BEFORE, _BEHIND = 40, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text; ``hit`` where it is to be marked."""

    text: str
    hit: bool = False


Pieces = tuple[Piece, ...]


def pieces(text: str, spans: Iterable[Sequence[int]] = (), *, most: int = 0) -> Pieces:
    """``text`` in pieces, those in ``spans`` (start, end) hits; at most ``most`` characters."""
    shown = cut(text, most) if most else text
    found: list[Piece] = []
    reached = 0
    for start, end in merged((one[0], one[1]) for one in spans)[:MOST_MARKS]:
        begin, stop = max(start, reached), min(end, len(shown))
        if begin >= stop:
            continue
        if begin > reached:
            found.append(Piece(text=shown[reached:begin]))
        found.append(Piece(text=shown[begin:stop], hit=True))
        reached = stop
    if reached < len(shown):
        found.append(Piece(text=shown[reached:]))
    return tuple(found)


def language_of(tag: str) -> str:
    """``tag`` where it can be the ``lang`` of an element, else empty."""
    return tag if _LANGUAGE.fullmatch(tag) else ""


def link_of(url: str) -> str:
    """``url`` where a browser may be sent there, else empty: no ``javascript:``."""
    return url if url.startswith(("https://", "http://")) else ""


def pointed(query: str, caret: int) -> tuple[str, str]:
    """The part of ``query`` around ``caret``, and the line below it with the caret."""
    start = max(0, caret - _BEFORE)
    before = _flat(query[start:caret])
    lead = "…" if start else ""
    behind = _flat(query[caret : caret + _BEHIND])
    rest = "…" if caret + _BEHIND < len(query) else ""
    return f"{lead}{before}{behind}{rest}", " " * (len(lead) + _cells(before)) + "^"


def _flat(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)


def _cells(text: str) -> int:
    """The columns of ``text``: wide characters have two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) > 0 for one in text)
