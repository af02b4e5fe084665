"""Text without what stores, terminals and readers stumble over; cutting to a limit.

Nothing else is changed: not the case, not the composition of letters, because the offsets of
evidence and highlights refer to the text that leaves here.
"""

from __future__ import annotations

import re

ELLIPSIS = "…"
"""Ends a text that was cut; three bytes in UTF-8."""

WORD_CHARS = 60
"""What is longer between two blanks is no word."""

_C0 = r"\x00-\x08\x0e-\x1f\x7f"
_C1 = r"\x80-\x9f"
# Overrides and isolates reorder what stands after them, so that a title can lie about itself
# (CVE-2021-42574). The marks U+200E, U+200F and U+061C are left: Arabic and Hebrew need them.
_BIDI = r"\u202a-\u202e\u2066-\u2069"
_SURROGATES = r"\ud800-\udfff"
_UNSAFE = re.compile(f"[{_C0}{_C1}{_BIDI}{_SURROGATES}\ufeff]")
_HOSTILE = re.compile(f"[{_C0}{_BIDI}{_SURROGATES}]")
_SURROGATE_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")
_UNPRINTABLE = re.compile(f"[\x00-\x1f\x7f{_C1}{_BIDI}{_SURROGATES}\u2028\u2029\ufeff]")
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _replacements() -> dict[int, str]:
    """What stands for each unsafe character: a windows-1252 letter for C1, else nothing."""
    c1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
    every = "".join(map(chr, range(0x10000)))
    unsafe = (ord(found[0]) for found in _UNSAFE.finditer(every))
    return dict.fromkeys(unsafe, "") | c1


_SAFE = _replacements()


def clean(text: str) -> str:
    """``text`` without NUL, control characters, lone surrogates, bidi overrides and BOM.

    Tabs and line ends stay. C1 characters are read as the windows-1252 letters they almost always
    stand for in feeds (U+0092 is an apostrophe), as HTML does for ``&#146;``.
    """
    if not _UNSAFE.search(text):
        return text
    return _SURROGATE_PAIR.sub(_join_pair, text).translate(_SAFE)


def is_hostile(text: str) -> bool:
    """Whether ``clean`` takes away more than a BOM: characters no honest feed holds."""
    return _HOSTILE.search(text) is not None


def one_line(text: str) -> str:
    """``text`` cleaned, every run of white space one space, none at the ends."""
    return " ".join(clean(text).split())


def cut(text: str, max_chars: int) -> str:
    """``text`` if it has at most ``max_chars`` characters, else its beginning and "…"."""
    if len(text) <= max_chars:
        return text
    return text[: max_chars - 1].rstrip() + ELLIPSIS


def cut_at_word(text: str, max_chars: int) -> str:
    """As ``cut``, behind a whole word; anywhere in scripts without blanks, and in long words."""
    if len(text) <= max_chars:
        return text
    end = max_chars - 1
    earliest = max(0, end - WORD_CHARS)
    end = next((place for place in range(end, earliest, -1) if text[place].isspace()), end)
    return text[:end].rstrip() + ELLIPSIS


def cut_bytes(text: str, max_bytes: int) -> str:
    """``text`` if it has at most ``max_bytes`` bytes in UTF-8, else its beginning and "…"."""
    if len(text) * 4 <= max_bytes:
        return text
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    kept = encoded[: max_bytes - len(ELLIPSIS.encode())]
    return kept.decode(errors="ignore").rstrip() + ELLIPSIS


def printable(text: str, *, multiline: bool = False) -> str:
    r"""``text`` fit for a terminal or a log line: what could act is shown, as ``\x1b``.

    Line ends and tabs are shown too, so that no text can forge a second line; with ``multiline``
    they stay.
    """
    return _UNPRINTABLE.sub(
        lambda found: found[0] if multiline and found[0] in "\n\t" else _escape(found[0]), text
    )


def _escape(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def _join_pair(found: re.Match[str]) -> str:
    return found[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")
