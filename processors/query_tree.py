"""The parsed query: frozen nodes that compare by what they match, not by where they were typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from processors.records import Zone

TimeField = Literal["published", "seen"]
FieldName = Literal["source", "feed", "group", "lang", "author", "tag", "topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spanned:
    """Something that was typed at ``span`` (start, end) of the query text."""

    span: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Spanned):
    """A folded word. ``zone`` None means title or body, here and below."""

    value: str
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wildcard(Spanned):
    """One word by pattern: ``*`` is any characters, ``?`` exactly one; never matches ``¶``."""

    pattern: str
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cased(Spanned):
    """A word with its case (accents are folded all the same); ``folded`` is its folded form."""

    value: str
    folded: str
    zone: Zone | None = None


Part: TypeAlias = Word | Wildcard | Cased


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase(Spanned):
    """Two or more parts in this order, next to each other."""

    parts: tuple[Part, ...]
    zone: Zone | None = None


Term: TypeAlias = Word | Wildcard | Cased | Phrase
"""What has positions in a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near(Spanned):
    """Occurrences of ``left`` and ``right`` near each other.

    One of each, not overlapping, with at most ``distance`` words between, in one zone; when
    ``ordered``, the left one first.
    """

    left: tuple[Term, ...]
    right: tuple[Term, ...]
    distance: int
    ordered: bool = False
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SameSentence(Spanned):
    """Non-overlapping occurrences of one of ``left`` and one of ``right`` in one sentence."""

    left: tuple[Term, ...]
    right: tuple[Term, ...]
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWithin(Spanned):
    """An occurrence of one of ``inner`` that lies inside no occurrence of one of ``outer``."""

    inner: tuple[Term, ...]
    outer: tuple[Term, ...]
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Spanned):
    """A metadata value, folded as the field folds it (``topic``: ``id`` or ``id@review``)."""

    name: FieldName
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange(Spanned):
    """``start`` <= time < ``end``, in UTC; None is open. Only in searches."""

    name: TimeField
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class And(Spanned):
    """All of two or more."""

    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or(Spanned):
    """One of two or more."""

    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Spanned):
    """Everything that ``of`` does not match."""

    of: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast(Spanned):
    """At least ``count`` of the (different) nodes."""

    count: int
    of: tuple[Node, ...]


Positional: TypeAlias = Near | SameSentence | NotWithin
Node: TypeAlias = Term | Positional | Field | TimeRange | And | Or | Not | AtLeast


@dataclass(frozen=True, slots=True)
class Query:
    """A query as typed (``text``) and as understood (``root``)."""

    text: str
    root: Node

    def clause(self, node: Spanned) -> str:
        """The piece of the query text that ``node`` was made from."""
        return self.text[node.span[0] : node.span[1]]


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below ``node``; operands of NEAR and the like count as such."""
    match node:
        case And(of=of) | Or(of=of) | AtLeast(of=of):
            return of
        case Not(of=one):
            return (one,)
        case Near() | SameSentence():
            return node.left + node.right
        case NotWithin():
            return node.inner + node.outer
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """``node`` and everything below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)
