# ruff: noqa: RUF001 - characters of many scripts as they are
"""From a typed word or quotation to the term that the analysed texts are compared with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ingest.errors import QueryError
from processors.analysis import analyse, fold, pattern_words
from processors.query_tree import Cased, Part, Phrase, Term, Wildcard, Word
from processors.records import Zone

_WILDCARDS = re.compile(r"[*?]+")
_SPECIAL = re.compile(r"[*?=]")
_CHUNK = re.compile(r"\S+")
_FULL_WIDTH = str.maketrans("？＊", "  ")  # punctuation in Chinese and Japanese, not wildcards


def term(text: str, *, offset: int, span: tuple[int, int], zone: Zone | None) -> Term:
    """The term for ``text``, which begins at ``offset``; several words make a phrase.

    ``span`` is what the query text has for it, quotes and field name included.

    Raises:
        QueryError: without a letter or digit, or with a wildcard that stands alone.
    """
    parts: list[Part] = []
    if not _SPECIAL.search(text):
        parts += [Word(value=word, zone=zone) for word in fold(text).split()]
    else:
        for chunk in _CHUNK.finditer(text):
            parts += _parts(chunk.group(), caret=offset + chunk.start(), zone=zone)
    if not parts:
        raise QueryError(
            "There is no letter or digit here to look for.",
            hint="Remove it; AND, OR and NOT are written in capital letters.",
            caret=offset,
        )
    if len(parts) > 1:
        return Phrase(parts=tuple(parts), zone=zone, span=span)
    match parts[0]:
        case Word(value=value):
            return Word(value=value, zone=zone, span=span)
        case Wildcard(pattern=pattern):
            return Wildcard(pattern=pattern, zone=zone, span=span)
        case Cased(value=value, folded=folded):
            return Cased(value=value, folded=folded, zone=zone, span=span)


def _parts(chunk: str, *, caret: int, zone: Zone | None) -> Iterator[Part]:
    chunk = chunk.translate(_FULL_WIDTH)
    if chunk.startswith("="):
        yield from _cased(chunk[1:], caret=caret, zone=zone)
    elif _WILDCARDS.search(chunk):
        _check_wildcards(chunk, caret)
        for pattern in pattern_words(chunk):
            yield from _pattern(pattern, zone)
    else:
        yield from (Word(value=word, zone=zone) for word in analyse(chunk).words)


def _cased(chunk: str, *, caret: int, zone: Zone | None) -> Iterator[Part]:
    if _WILDCARDS.search(chunk):
        raise QueryError(
            "=word and a wildcard cannot be combined.",
            hint="Leave out the = or the wildcard.",
            caret=caret,
        )
    analysed = analyse(chunk)
    for value, folded in zip(analysed.cased, analysed.words, strict=True):
        yield Cased(value=value, folded=folded, zone=zone)


def _check_wildcards(chunk: str, caret: int) -> None:
    for match in _WILDCARDS.finditer(chunk):
        beside = chunk[match.start() - 1 : match.start()] + chunk[match.end() : match.end() + 1]
        if not any(unicodedata.category(character)[0] in "LNM" for character in beside):
            raise QueryError(
                f"A lone {match.group()[:10]} would match every text.",
                hint="A wildcard needs a letter or digit beside it: truce*, *strike, organi?ation",
                caret=caret + match.start(),
            )


def _pattern(pattern: str, zone: Zone | None) -> Iterator[Part]:
    """A pattern of wildcards alone stands beside a one-character token: ``?`` is one more."""
    if not _WILDCARDS.fullmatch(pattern):
        pattern = re.sub(r"\*+", "*", pattern)
        if _WILDCARDS.search(pattern):
            yield Wildcard(pattern=pattern, zone=zone)
        else:  # the wildcard was beyond the length at which tokens are cut
            yield Word(value=pattern, zone=zone)
        return
    for _ in range(pattern.count("?")):
        yield Wildcard(pattern="?", zone=zone)
