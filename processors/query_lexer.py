# ruff: noqa: RUF001 - characters of many scripts as they are
"""The pieces of a query text: words, quotations, operators, field names, parentheses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ingest.errors import QueryError

Kind = Literal[
    "(", ")", "word", "quotation", "value", "field",
    "AND", "OR", "NOT", "NEAR", "ONEAR", "SAMESENT", "NOT WITHIN", "ATLEAST", "end",
]  # fmt: skip
ZONES = ("title", "lead", "body")
METADATA = ("source", "feed", "group", "lang", "author", "tag", "topic")
TIMES = ("published", "seen")
FIELDS = (*ZONES, *METADATA, *TIMES)
MAX_DISTANCE = 50
"""Words that NEAR may span: the engines' exact forms grow with it (30 ms at 50 on 20,000 texts)."""

_QUOTES = '"“”„‟«»＂'
_BLANK = re.compile(r"\s*")
_MINUS = re.compile(r"[-−](?=[^\s)])")
_FIELD = re.compile(r"([A-Za-z][A-Za-z_]*):")
_VALUE = re.compile(rf"[^\s(){_QUOTES}]+")
_WORD = re.compile(rf"(?:[^\s(){_QUOTES}]|(?<=[א-ת])[{_QUOTES}](?=[א-ת]))+")
_QUOTATION = re.compile(
    rf"[{_QUOTES}]((?:[^{_QUOTES}]|(?<=[א-ת])[{_QUOTES}](?=[א-ת]))*)[{_QUOTES}]"
)
_COUNTED = re.compile(r"(O?NEAR|ATLEAST)(?:/(.*))?")
_NOT_WITHIN = re.compile(r"NOT\s+WITHIN(?![^\s(\"“«])")
_PLAIN: tuple[Kind, ...] = ("AND", "OR", "NOT", "SAMESENT")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One piece: ``text`` without quotes and colons, ``span`` as typed, ``number`` of NEAR/n."""

    kind: Kind
    text: str
    span: tuple[int, int]
    number: int = 0


def lexemes(text: str) -> Iterator[Lexeme]:
    """The pieces of ``text`` in order, an ``end`` last.

    Raises:
        QueryError: for what cannot start or be a piece.
    """
    place = _after_blanks(text, 0)
    while place < len(text):
        for lexeme in _lexemes_at(text, place):
            yield lexeme
            place = lexeme.span[1]
        place = _after_blanks(text, place)
    yield Lexeme("end", "", (len(text), len(text)))


def _after_blanks(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def _lexemes_at(text: str, place: int) -> Iterator[Lexeme]:
    character = text[place]
    if character in "()":
        yield Lexeme("(" if character == "(" else ")", character, (place, place + 1))
    elif character in _QUOTES:
        yield _quotation(text, place)
    elif _MINUS.match(text, place):
        yield Lexeme("NOT", character, (place, place + 1))
    elif field := _FIELD.match(text, place):
        yield from _field(text, field)
    else:
        yield _word(text, place)


def _quotation(text: str, place: int) -> Lexeme:
    match = _QUOTATION.match(text, place)
    if match is None:
        raise QueryError(
            "The quotation mark is never closed.", hint='Close it: "arms transfers"', caret=place
        )
    return Lexeme("quotation", match.group(1), match.span())


def _field(text: str, match: re.Match[str]) -> Iterator[Lexeme]:
    name = match.group(1).lower()
    if name not in FIELDS:
        raise _unknown_field(name, text, match)
    yield Lexeme("field", name, match.span())
    value = None if name in ZONES else _VALUE.match(text, match.end())
    if value:
        yield Lexeme("value", value.group(), value.span())
    elif match.end() == len(text) or text[match.end()].isspace() or text[match.end()] == ")":
        raise QueryError(
            f"{name}: needs a value right after the colon.",
            hint=f"Write {name}:something, without a blank.",
            caret=match.end() - 1,
        )


def _unknown_field(name: str, text: str, match: re.Match[str]) -> QueryError:
    if text.startswith("//", match.end()):
        hint = (
            'An address is not a field: write feed:"…" or source:…, or put it in quotation marks.'
        )
    else:
        close = difflib.get_close_matches(name, FIELDS, n=1)
        meant = f"Did you mean {close[0]}:? " if close else ""
        hint = (
            f"{meant}Fields are {', '.join(FIELDS)}. A text with a colon goes in quotation marks."
        )
    return QueryError(f"There is no field “{name}”.", hint=hint, caret=match.start())


def _word(text: str, place: int) -> Lexeme:
    if text[place] == "~":
        raise QueryError(
            "~word (all forms of a word) is not yet supported.",
            hint=f"Write the forms: {_forms(text[place + 1 :])}",
            caret=place,
        )
    if within := _NOT_WITHIN.match(text, place):
        return Lexeme("NOT WITHIN", within.group(), within.span())
    match = next(_WORD.finditer(text, place))  # only what can begin a word gets here
    word, span = match.group(), match.span()
    for kind in _PLAIN:
        if word == kind:
            return Lexeme(kind, word, span)
    counted = _COUNTED.fullmatch(word)
    if counted:
        return _counted(counted, span)
    if word == "WITHIN":
        raise QueryError(
            "WITHIN belongs to NOT WITHIN.",
            hint='"family" NOT WITHIN "nuclear family"; for the word itself write within.',
            caret=place,
        )
    return Lexeme("word", word, span)


def _forms(rest: str) -> str:
    match = re.match(r"\w+", rest)
    word = match.group()[:40] if match else "negotiate"
    return f"{word}* or ({word} OR {word}s)"


def _counted(match: re.Match[str], span: tuple[int, int]) -> Lexeme:
    name, digits = match.group(1), match.group(2) or ""
    kind: Kind = "ATLEAST" if name == "ATLEAST" else ("ONEAR" if name == "ONEAR" else "NEAR")
    example = "ATLEAST/3(a b c d)" if kind == "ATLEAST" else f"{name}/10"
    if not re.fullmatch(r"[0-9]{1,6}", digits):
        raise QueryError(
            f"{name} needs a number: {example}",
            hint=f"Write {example}, or {name.lower()} for the word itself.",
            caret=span[0],
        )
    number = int(digits)
    if kind != "ATLEAST" and number > MAX_DISTANCE:
        raise QueryError(
            f"{name}/{number} is above the limit of {MAX_DISTANCE} words.",
            hint=f"Write {name}/{MAX_DISTANCE} or less, or AND.",
            caret=span[0],
        )
    return Lexeme(kind, match.group(), span, number)
