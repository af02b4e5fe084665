"""The words that tell an article from others, for the significant words of a topic. Pure."""

from __future__ import annotations

from processors.analysis import Analysed
from processors.signatures import heaviest_terms

MOST = 10
"""An article's: a term must be frequent in a topic's articles, not in one of them."""


def keywords(title: str | Analysed, body: str | Analysed) -> tuple[str, ...]:
    """The words of a text that are frequent in it and rare elsewhere, folded, at most ten.

    Numbers are left out: they tell articles apart and topics not.
    """
    terms = (term for term, _ in heaviest_terms(title, body) if _is_telling(term))
    return tuple(terms)[:MOST]


def _is_telling(term: str) -> bool:
    return len(term) > 1 and not any(map(str.isdigit, term))
