"""What is wrong with something that was typed, beside the field it was typed in."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.errors import UsageError
from search.pages.pieces import pointed

QUERY_CHARS = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A sentence, what to do, and for a query the line with its caret."""

    sentence: str
    hint: str = ""
    lines: tuple[str, str] | None = None


def fault_of(error: UsageError, query: str = "") -> Fault:
    """What ``error`` says; its caret counts in ``query``."""
    lines = pointed(query, error.caret) if error.caret is not None else None
    return Fault(sentence=error.sentence, hint=for_page(error.hint), lines=lines)


def for_page(hint: str) -> str:
    """``hint`` where it is not about the command line, which a page does not have."""
    return "" if "wirewatch " in hint or " --" in hint else hint
