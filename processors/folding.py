# ruff: noqa: RUF001 - characters of many scripts as they are
"""Character tables: what one character becomes in the folded and in the case-kept word stream.

A table gives, for every character of an NFKC text, the string that takes its place: letters and
digits as themselves or simpler, nothing for what is removed, a blank for what splits words, and a
few marks that ``processors.analysis`` resolves: ``'`` (an apostrophe of any shape), ``START`` and
``END`` around a Katakana letter, a newline for a paragraph end. Scripts written without blanks
get blanks around every character.
"""

from __future__ import annotations

import re
import unicodedata

START, END = "\x01", "\x02"
"""Around Katakana letters, so that a run of them stays whole beside other scripts."""

_APOSTROPHES = frozenset("'‘’‛′ʹʻʼʽʾʿ׳")
_LETTERS = {
    # Letters with strokes and the like, which Unicode does not decompose.
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ħ": "h",
    "ŧ": "t",
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "Ø": "O",
    "Ł": "L",
    "Đ": "D",
    "Ħ": "H",
    "Ŧ": "T",
    "Æ": "AE",
    "Œ": "OE",
    "ё": "е",
    "Ё": "Е",
    # Forms of alef, yeh, kaf and heh that writers and keyboards mix (as Lucene's Arabic folding).
    "أ": "ا",
    "إ": "ا",
    "آ": "ا",
    "ٱ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ة": "ه",
}
_SINGLE = re.compile(
    "[\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"  # Han and Hiragana
    "\u0e00-\u0eff\u1780-\u17ff\u19e0-\u19ff"  # Thai, Lao, Khmer
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f]"  # Myanmar
)
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]")
_REMOVED_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0898-\u089f\u08ca-\u08ff"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\u3099\u309a]"
)
_TATWEEL = "\u0640"
_ZERO_WIDTH_SPACE = "\u200b"
_CONTINUING_LETTERS = re.compile("[\u1160-\u11ff\U00016d63-\U00016d67]")


class Continues(dict[str, bool]):
    """Whether a character can combine with the one before it, so that NFKC needs both."""

    def __missing__(self, character: str) -> bool:
        first = unicodedata.normalize("NFKD", character)[0]
        found = unicodedata.category(first)[0] == "M" or bool(_CONTINUING_LETTERS.match(first))
        self[character] = found
        return found


class Table(dict[int, str]):
    """What each code point becomes, worked out when first met; for ``str.translate``."""

    def __init__(self, *, cased: bool = False, kept: str = "") -> None:
        super().__init__({ord(character): character for character in kept})
        self._cased = cased

    def __missing__(self, code: int) -> str:
        found = self[code] = _replacement(chr(code), cased=self._cased)
        return found


def _replacement(character: str, *, cased: bool) -> str:
    if character == "\n" or character in _APOSTROPHES:
        return "\n" if character == "\n" else "'"
    category = unicodedata.category(character)
    if _is_removed(character, category):
        return ""
    if category[0] not in "LNM":
        return " "
    if _SINGLE.match(character):
        return f" {character} "
    if _KATAKANA.match(character):
        return f"{START}{character}{END}"
    kept = character if cased else character.casefold()
    return "".join(_without_marks(letter) for letter in kept)


def _is_removed(character: str, category: str) -> bool:
    if category == "Cf":  # soft hyphens, joiners, direction marks
        return character != _ZERO_WIDTH_SPACE
    return character == _TATWEEL or (category[0] == "M" and bool(_REMOVED_MARKS.match(character)))


def _without_marks(letter: str) -> str:
    """``letter`` with the marks of Latin and Greek removed; й stays й."""
    if letter in _LETTERS:
        return _LETTERS[letter]
    if _REMOVED_MARKS.match(letter):
        return ""
    decomposed = unicodedata.normalize("NFD", letter)
    base = decomposed[0]
    if decomposed == letter or not unicodedata.name(base, "").startswith(("LATIN", "GREEK")):
        return letter
    return _LETTERS.get(base, base)
