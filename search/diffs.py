"""What changed between two texts, by words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "gone", "new", "left-out"]

CONTEXT_WORDS = 12
"""Words shown before and behind a change."""

MOST_WORDS = 4_000
"""Beyond, paragraphs are compared: words would take seconds (the matcher is quadratic)."""

_WORDS = re.compile(r"\s*\S+")
_PARAGRAPHS = re.compile(r"\n*[^\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A piece of text that stayed, went or came; ``left-out`` says how many words stayed."""

    kind: Kind
    text: str


def changes(before: str, after: str) -> list[Change]:
    """What turns ``before`` into ``after``, with some words around each change.

    Joined without what is ``gone`` (and nothing being left out) it gives ``after``.
    """
    old, new = _pieces(before), _pieces(after)
    found: list[Change] = []
    matcher = SequenceMatcher(None, _bare(old), _bare(new), autojunk=False)
    codes = matcher.get_opcodes()
    for place, (tag, a, b, c, d) in enumerate(codes):
        if tag == "equal":
            is_first, is_last = place == 0, place == len(codes) - 1
            found += _same("".join(new[c:d]), is_first=is_first, is_last=is_last)
            continue
        if b > a:
            found.append(Change(kind="gone", text="".join(old[a:b])))
        if d > c:
            found.append(Change(kind="new", text="".join(new[c:d])))
    return found


def _pieces(text: str) -> list[str]:
    words = _WORDS.findall(text)
    return words if len(words) <= MOST_WORDS else _PARAGRAPHS.findall(text)


def _bare(pieces: Sequence[str]) -> list[str]:
    return [piece.strip() for piece in pieces]


def _same(text: str, *, is_first: bool, is_last: bool) -> Iterator[Change]:
    """``text`` with its middle left out, or the end that touches no change."""
    words = _WORDS.findall(text)
    head = 0 if is_first else CONTEXT_WORDS
    tail = 0 if is_last else CONTEXT_WORDS
    if len(words) <= head + tail + 1:
        yield Change(kind="same", text=text)
        return
    if head:
        yield Change(kind="same", text="".join(words[:head]))
    yield Change(kind="left-out", text=f"{len(words) - head - tail:,} words unchanged")
    if tail:
        yield Change(kind="same", text="".join(words[-tail:]))
