"""Wildcard patterns of one word, matched in linear time."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def wildcard(pattern: str) -> re.Pattern[str]:
    """A regular expression for ``fullmatch`` of a word: ``*`` any characters, ``?`` exactly one.

    Each inner piece is an atomic group that takes its first place, as Python's ``fnmatch`` does,
    so ``*a*a*a*b`` cannot backtrack (F46). ``¶`` is no word and never matches.
    """
    first, *others = map(_piece, pattern.split("*"))
    if not others:
        return re.compile(first)
    *inner, last = others
    middle = "".join(f"(?>[^¶]*?{piece})" for piece in inner if piece)
    return re.compile(f"{first}{middle}[^¶]*{last}")


@lru_cache(maxsize=4096)
def longest_piece(pattern: str) -> str:
    """The most letters in a row that each word has which ``pattern`` fits."""
    return max(re.split(r"[*?]", pattern), key=len)


def _piece(literal: str) -> str:
    return "".join("[^¶]" if character == "?" else re.escape(character) for character in literal)
