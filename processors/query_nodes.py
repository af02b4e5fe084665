"""The checked making of nodes that have operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ingest.errors import QueryError
from processors.query_lexer import Lexeme
from processors.query_tree import (
    And,
    AtLeast,
    Cased,
    Near,
    Node,
    NotWithin,
    Or,
    Phrase,
    SameSentence,
    Term,
    Wildcard,
    Word,
)
from processors.records import Zone


def joined(kind: type[And | Or], found: Sequence[Node]) -> Node:
    """``found`` under one AND or OR, those of the same kind merged into it."""
    if len(found) == 1:
        return found[0]
    flat: list[Node] = []
    for node in found:
        flat += node.of if isinstance(node, kind) else (node,)
    return kind(of=tuple(flat), span=(found[0].span[0], found[-1].span[1]))


def at_least(operator: Lexeme, found: Sequence[Node], span: tuple[int, int]) -> Node:
    """ATLEAST over the different ones of ``found``.

    Raises:
        QueryError: where there are too few of them.
    """
    different = tuple(dict.fromkeys(found))
    if not 1 <= operator.number <= len(different):
        raise QueryError(
            f"ATLEAST/{operator.number} of {len(different)} different operands makes no sense.",
            hint=f"Choose a number from 1 to {max(len(different), 1)}, or list more words.",
            caret=operator.span[0],
        )
    if len(different) == 1:
        return different[0]
    return AtLeast(count=operator.number, of=different, span=span)


def proximity(operator: Lexeme, left: Node, right: Node) -> Node:
    """NEAR, ONEAR, SAMESENT or NOT WITHIN between two operands.

    Raises:
        QueryError: for an operand that has no positions, or operands of two fields.
    """
    span = (left.span[0], right.span[1])
    first, second = _operands(operator, left), _operands(operator, right)
    zone = _common_zone(operator, (*first, *second))
    if operator.kind == "SAMESENT":
        return SameSentence(left=first, right=second, zone=zone, span=span)
    if operator.kind == "NOT WITHIN":
        return NotWithin(inner=first, outer=second, zone=zone, span=span)
    return Near(
        left=first,
        right=second,
        distance=operator.number,
        ordered=operator.kind == "ONEAR",
        zone=zone,
        span=span,
    )


def _operands(operator: Lexeme, node: Node) -> tuple[Term, ...]:
    found = node.of if isinstance(node, Or) else (node,)
    for operand in found:
        if not isinstance(operand, Word | Wildcard | Cased | Phrase):
            raise QueryError(
                f"{operator.text} joins words, phrases, or an OR of these; nothing else.",
                hint=f"Write (a OR b) {operator.text} c, and join the rest with AND.",
                caret=operand.span[0],
            )
    return tuple(dict.fromkeys(cast("tuple[Term, ...]", found)))


def _common_zone(operator: Lexeme, operands: Sequence[Term]) -> Zone | None:
    zones = {operand.zone for operand in operands}
    if len(zones) > 1:
        raise QueryError(
            f"Both sides of {operator.text} must be in the same field.",
            hint=f"Write title:(a {operator.text} b)",
            caret=operator.span[0],
        )
    return operands[0].zone
