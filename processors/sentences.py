# ruff: noqa: RUF001 - punctuation of many scripts as it is printed
"""Where sentences end: punctuation, with a few rules against breaking at U.S. or Mr."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

MAX_SENTENCE_WORDS = 500
"""Words at which a sentence is cut: Elasticsearch finds SAMESENT by a gap of this many."""

_WIDE = "。！？｡．؟۔।॥"
_END = re.compile(rf"[.!?…\n{_WIDE}][.!?…{_WIDE}]*[\"'”’»)\]」』）]*")
_NEXT = re.compile(r"\s[\s\"'“‘«(\[—–-]*(\S?)")
_WIDE_MARK = frozenset(_WIDE)
_BEFORE = re.compile(r"(\w+)$")
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\w+",
        "mr mrs ms dr prof st gen gov sen rep lt col sgt capt maj cmdr adm rev hon pres jr sr vs "
        "etc inc ltd co corp dept fig approx al jan feb apr jun jul aug sep sept oct nov dec "
        "mme mlle mm bzw nr bsp sra dra cf vol pp ул гг им стр",
    )
)


def sentence_ends(text: str) -> list[int]:
    """Offsets in ``text`` just behind each sentence, rising; a newline always ends one."""
    return [match.end() for match in _END.finditer(text) if _is_end(text, match)]


def _is_end(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    if mark[0] == "\n" or not _WIDE_MARK.isdisjoint(mark):
        return True
    following = _NEXT.match(text, match.end())
    if following is None or following.group(1).islower():
        return False
    if mark != ".":
        return True
    before = _BEFORE.search(text, max(0, match.start() - 12), match.start())
    word = before.group(1).lower() if before else ""
    return not (word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()))


def sentence_lengths(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """How many words each sentence has, given where words start and end; none has no words."""
    firsts = (bisect_left(offsets, (end,)) for end in sentence_ends(text))
    lengths: list[int] = []
    for first, behind in pairwise([0, *firsts, len(offsets)]):
        whole, rest = divmod(behind - first, MAX_SENTENCE_WORDS)
        lengths += [MAX_SENTENCE_WORDS] * whole
        if rest:
            lengths.append(rest)
    return tuple(lengths)
