"""Where sentences end: punctuation, with a few rules against breaking at U.S. or Mr."""

from __future__ import annotations

import re

_WIDE = "。！？｡．؟۔।॥"  # noqa: RUF001 - marks of scripts that need no blank behind them
_END = re.compile(rf"[.!?…\n{_WIDE}][.!?…{_WIDE}]*[\"'”’»)\]」』）]*")  # noqa: RUF001 - as printed
_NEXT = re.compile(r"\s[\s\"'“‘«(\[—–-]*(\S?)")  # noqa: RUF001 - quotes and dashes as printed
_WIDE_MARK = frozenset(_WIDE)
_BEFORE = re.compile(r"(\w+)$")
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st gen gov sen rep lt col sgt capt maj cmdr adm rev hon pres sec jr sr vs "
    "etc no nos inc ltd co corp dept est fig approx al jan feb mar apr jun jul aug sep sept oct "
    "nov dec mme mlle mm bzw ca nr bsp str abs sra dra art av cf vol pp ул гг им стр".split()
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
