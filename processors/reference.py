"""The definition of what matches: one query against one document, node by node.

The matcher and both indexes must say what ``matches`` says; search verifies its candidates with
it, and ``spans`` gives highlights and evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from processors.analysis import Analysed
from processors.document import Document
from processors.occurrences import Place, places_in, places_of
from processors.query_tree import (
    And,
    AtLeast,
    Field,
    Near,
    Node,
    Not,
    NotWithin,
    Or,
    Positional,
    Query,
    SameSentence,
    Term,
    TimeRange,
)
from processors.records import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a clause of the query found: offsets in the original title or text."""

    clause: str
    zone: Zone
    start: int
    end: int


def matches(query: Query, document: Document) -> bool:
    """Whether ``document`` is what ``query`` asks for."""
    return holds(query.root, document)


def holds(node: Node, document: Document) -> bool:  # noqa: PLR0911 - one return for each kind of node
    """Whether ``node`` is true of ``document``."""
    match node:
        case And(of=of):
            return all(holds(one, document) for one in of)
        case Or(of=of):
            return any(holds(one, document) for one in of)
        case Not(of=one):
            return not holds(one, document)
        case AtLeast(count=count, of=of):
            return sum(holds(one, document) for one in of) >= count
        case Field(name=name, value=value):
            return (name, value) in document.values
        case TimeRange():
            return _is_during(node, document)
        case _:
            return any(_places(node, text) for _, text in _texts(node, document))


def _is_during(node: TimeRange, document: Document) -> bool:
    times = {"published": document.metadata.published, "seen": document.metadata.seen}
    moment: datetime | None = times[node.name]
    if moment is None:
        return False
    return (node.start is None or node.start <= moment) and (node.end is None or moment < node.end)


def _texts(node: Term | Positional, document: Document) -> Iterator[tuple[Zone, Analysed]]:
    """The texts that ``node`` is looked for in, one after the other."""
    if node.zone in (None, "title"):
        yield "title", document.title
    if node.zone in (None, "body"):
        yield "body", document.body
    if node.zone == "lead":
        yield "lead", document.lead


def _places(node: Term | Positional, text: Analysed) -> list[Place]:
    if isinstance(node, Near | SameSentence | NotWithin):
        return places_in(node, text)
    return places_of(node, text)


def spans(query: Query, document: Document) -> tuple[Span, ...]:
    """Every place of every clause that made ``query`` match, in reading order.

    Empty where it does not match, or matches by metadata or by absence alone.
    """
    if not matches(query, document):
        return ()
    order = {"title": 0, "lead": 1, "body": 1}
    found = set(_spans(query.root, query, document))
    return tuple(
        sorted(found, key=lambda span: (order[span.zone], span.start, span.end, span.clause))
    )


def _spans(node: Node, query: Query, document: Document) -> Iterator[Span]:
    match node:
        case And(of=of) | Or(of=of) | AtLeast(of=of):
            for one in of:
                if holds(one, document):
                    yield from _spans(one, query, document)
        case Not() | Field() | TimeRange():
            return
        case _:
            for zone, text in _texts(node, document):
                for first, end in _places(node, text):
                    start, stop = text.span(first, end)
                    where = zone if zone == "title" else _part(first, document)
                    yield Span(clause=query.clause(node), zone=where, start=start, end=stop)


def _part(place: int, document: Document) -> Zone:
    return "lead" if place < document.lead_end else "body"
