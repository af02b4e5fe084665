"""Pieces of a title and a text that show where a query was found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from processors.document import Document
from processors.reference import Span
from search.index import Fragment, Highlights

FRAGMENT_CHARACTERS = 200
"""Two or three lines on a page."""

MAX_FRAGMENTS = 3

_CONTEXT = 60
"""Characters shown before the first word found."""

_Range: TypeAlias = tuple[int, int]


def highlighted(found: Document, spans: Sequence[Span]) -> Highlights:
    """The whole title where something is in it, and up to three fragments of the text.

    Without a span in the text its beginning is shown, so that every hit says something.
    """
    title, text = found.title.text, found.body.text
    in_title = merged((span.start, span.end) for span in spans if span.zone == "title")
    in_text = merged((span.start, span.end) for span in spans if span.zone != "title")
    return Highlights(
        title=(Fragment(text=title, spans=tuple(in_title)),) if in_title else (),
        text=tuple(_fragments(text, in_text)),
    )


def merged(ranges: Iterable[_Range]) -> list[_Range]:
    """``ranges`` in order, those that overlap or touch joined."""
    found: list[_Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _fragments(text: str, spans: Sequence[_Range]) -> Iterable[Fragment]:
    if not spans:
        if text:
            yield Fragment(text=text[: _end_at_blank(text, 0, FRAGMENT_CHARACTERS)])
        return
    count, reached = 0, 0
    for first, _ in spans:
        if first < reached:
            continue
        if count == MAX_FRAGMENTS:
            return
        begin = _start_at_blank(text, max(reached, first - _CONTEXT), first)
        reached = _end_at_blank(text, first, begin + FRAGMENT_CHARACTERS)
        inside = [
            (start - begin, min(end, reached) - begin)
            for start, end in spans
            if begin <= start < reached
        ]
        yield Fragment(text=text[begin:reached], spans=tuple(inside))
        count += 1


def _start_at_blank(text: str, begin: int, first: int) -> int:
    """``begin``, or the start of the next word; not behind ``first``."""
    if begin == 0 or text[begin - 1].isspace():
        return begin
    blank = next((place for place in range(begin, first) if text[place].isspace()), -1)
    return blank + 1 if blank >= 0 else begin


def _end_at_blank(text: str, first: int, end: int) -> int:
    """``end``, or the end of the word before; behind ``first``. Scripts without blanks: ``end``."""
    if end >= len(text):
        return len(text)
    earliest = max(first + 1, end - _CONTEXT)
    return next((place for place in range(end, earliest, -1) if text[place].isspace()), end)
