"""What must be in a text for a query to match: clauses of leaves, one of each clause at least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from processors.leaves import Leaves
from processors.query_tree import (
    And,
    AtLeast,
    Cased,
    Field,
    Near,
    Node,
    Not,
    NotWithin,
    Or,
    Phrase,
    SameSentence,
    Term,
    TimeRange,
    Wildcard,
    Word,
)

Clause: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """``clauses`` are necessary; with ``exact``, they and the absence of ``barred`` suffice."""

    clauses: tuple[Clause, ...]
    exact: bool
    barred: tuple[int, ...] = ()


def plan(root: Node, leaves: Leaves) -> Plan:
    """The plan for ``root``; its leaves get their numbers from ``leaves``."""
    if not isinstance(root, And):
        return _plan(root, leaves)
    barred: list[int] = []
    plans: list[Plan] = []
    for node in root.of:
        absent = _barred(node, leaves)
        barred += absent
        if not absent:
            plans.append(_plan(node, leaves))
    return _all(plans, tuple(dict.fromkeys(barred)))


def _barred(node: Node, leaves: Leaves) -> list[int]:
    """The leaves that ``NOT leaf`` or ``NOT (leaf OR leaf)`` excludes; else none."""
    if not isinstance(node, Not):
        return []
    excluded = node.of.of if isinstance(node.of, Or) else (node.of,)
    if not all(isinstance(one, Word | Wildcard | Cased | Phrase | Field) for one in excluded):
        return []
    return [leaves.number(one) for one in excluded]  # type: ignore[arg-type]  # tested just above


def _plan(node: Node, leaves: Leaves) -> Plan:  # noqa: PLR0911 - one return for each kind of node
    match node:
        case And(of=of):
            return _all([_plan(one, leaves) for one in of])
        case Or(of=of):
            return _one([_plan(one, leaves) for one in of], 1)
        case AtLeast(count=count, of=of):
            return _one([_plan(one, leaves) for one in of], count)
        case Near() | SameSentence():
            sides = (_any(node.left, leaves), _any(node.right, leaves))
            return Plan(tuple(dict.fromkeys(sides)), exact=False)
        case NotWithin():
            return Plan((_any(node.inner, leaves),), exact=False)
        case Not() | TimeRange():
            return Plan((), exact=False)
        case _:
            return Plan(((leaves.number(node),),), exact=True)


def _any(terms: Iterable[Term], leaves: Leaves) -> Clause:
    return tuple(leaves.number(term) for term in terms)


def _all(plans: Iterable[Plan], barred: tuple[int, ...] = ()) -> Plan:
    plans = list(plans)
    clauses = dict.fromkeys(clause for one in plans for clause in one.clauses)
    return Plan(tuple(clauses), all(one.exact for one in plans), barred)


def _one(plans: list[Plan], count: int) -> Plan:
    """``count`` of ``plans``: of any ``len - count + 1`` of them one must hold."""
    usable = sorted((one for one in plans if one.clauses), key=_narrowest_length)
    needed = len(plans) - count + 1
    if len(usable) < needed:
        return Plan((), exact=False)
    union = (number for one in usable[:needed] for number in min(one.clauses, key=len))
    is_plain = count == 1 and all(one.exact and len(one.clauses) == 1 for one in plans)
    return Plan((tuple(dict.fromkeys(union)),), exact=is_plain)


def _narrowest_length(one: Plan) -> int:
    return min(map(len, one.clauses))
