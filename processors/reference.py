"""The definition of what matches: one query against one document, node by node.

The matcher and both indexes must say what ``matches`` says; search verifies its candidates with
it, and ``grounds`` and ``spans`` give highlights and evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


def _texts(node: Term | Positional, document: Document) -> Sequence[tuple[Zone, Analysed]]:
    """The texts that ``node`` is looked for in, one after the other."""
    match node.zone:
        case "title":
            return (("title", document.title),)
        case "body":
            return (("body", document.body),)
        case "lead":
            return (("lead", document.lead),)
        case _:
            return (("title", document.title), ("body", document.body))


def _places(node: Term | Positional, text: Analysed) -> list[Place]:
    match node:
        case Near() | SameSentence() | NotWithin():
            return places_in(node, text)
        case _:
            return places_of(node, text)


@dataclass(frozen=True, slots=True)
class Ground:
    """A leaf that made a query match.

    Attributes:
        found: Where its words stand; nothing for a metadata value.
    """

    leaf: Term | Positional | Field
    found: Sequence[tuple[Zone, Analysed, list[Place]]] = ()


def grounds(node: Node, document: Document) -> list[Ground] | None:
    """What makes ``node`` true of ``document``, in the order of the query; None where it is not.

    Every leaf is looked for once. What is under NOT is no ground, nor is a time.
    """
    match node:
        case And(of=of):
            return _together(of, len(of), document)
        case Or(of=of):
            return _together(of, 1, document)
        case AtLeast(count=count, of=of):
            return _together(of, count, document)
        case Not() | TimeRange():
            return [] if holds(node, document) else None
        case Field():
            return [Ground(node)] if holds(node, document) else None
        case _:
            found = [
                (zone, text, places)
                for zone, text in _texts(node, document)
                if (places := _places(node, text))
            ]
            return [Ground(node, found)] if found else None


def _together(of: Sequence[Node], count: int, document: Document) -> list[Ground] | None:
    """The grounds of all that hold of ``of``; None once ``count`` of them cannot hold."""
    together: list[Ground] = []
    spare = len(of) - count
    for node in of:
        found = grounds(node, document)
        if found is not None:
            together += found
        elif spare:
            spare -= 1
        else:
            return None
    return together


def spans(query: Query, document: Document, *, with_lead: bool = True) -> tuple[Span, ...]:
    """Every place of every clause that made ``query`` match, in reading order.

    Empty where it does not match, or matches by metadata or by absence alone.
    """
    return spans_of(grounds(query.root, document) or (), query, document, with_lead=with_lead)


def spans_of(
    found: Iterable[Ground], query: Query, document: Document, *, with_lead: bool = True
) -> tuple[Span, ...]:
    """Every place of what was ``found``, in reading order.

    Without ``with_lead`` the lead counts as body, which spares looking for sentences.
    """
    order = {"title": 0, "lead": 1, "body": 1}
    unsorted = {span for ground in found for span in _spans(ground, query, document, with_lead)}
    return tuple(
        sorted(unsorted, key=lambda span: (order[span.zone], span.start, span.end, span.clause))
    )


def _spans(
    ground: Ground,
    query: Query,
    document: Document,
    with_lead: bool,  # noqa: FBT001 - handed on
) -> Iterator[Span]:
    clause = query.clause(ground.leaf)
    for zone, text, places in ground.found:
        for first, end in places:
            start, stop = text.span(first, end)
            where = zone if zone == "title" or not with_lead else _part(first, document)
            yield Span(clause=clause, zone=where, start=start, end=stop)


def _part(place: int, document: Document) -> Zone:
    return "lead" if place < document.lead_end else "body"
