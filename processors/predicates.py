"""Queries compiled to tests over the numbers of the leaves that a document has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from processors.document import Document
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
    Positional,
    SameSentence,
    Term,
    TimeRange,
    Wildcard,
    Word,
)
from processors.reference import holds

Predicate: TypeAlias = Callable[[set[int], Document], bool]


def compiled(node: Node, leaves: Leaves) -> Predicate:  # noqa: PLR0911 - one return for each kind of node
    """A test that agrees with ``reference.holds`` and looks at the text only for NEAR and the like.

    Every leaf outside of NEAR's and NOT WITHIN's right side must be among those that were looked
    for; a leaf that first gets its number here would be taken for absent, hence ``register``.
    """
    match node:
        case And(of=of):
            return _all(of, leaves)
        case Or(of=of):
            return _any(of, leaves)
        case Not(of=one):
            test = compiled(one, leaves)
            return lambda found, document: not test(found, document)
        case AtLeast(count=count, of=of):
            tests = [compiled(one, leaves) for one in of]
            return lambda found, document: sum(test(found, document) for test in tests) >= count
        case TimeRange():
            return lambda _, document: holds(node, document)
        case Near() | SameSentence() | NotWithin():
            return _positional(node, leaves)
        case _:
            number = leaves.number(node)
            return lambda found, _: number in found


def register(node: Node, leaves: Leaves) -> None:
    """Give every leaf that ``compiled`` will ask for its number."""
    compiled(node, leaves)


def _split(of: Sequence[Node], leaves: Leaves) -> tuple[frozenset[int], list[Predicate]]:
    """The numbers of the plain leaves of ``of``, and tests for the rest."""
    numbers: list[int] = []
    tests: list[Predicate] = []
    for one in of:
        if isinstance(one, Word | Wildcard | Cased | Phrase | Field):
            numbers.append(leaves.number(one))
        else:
            tests.append(compiled(one, leaves))
    return frozenset(numbers), tests


def _all(of: Sequence[Node], leaves: Leaves) -> Predicate:
    numbers, tests = _split(of, leaves)
    return lambda found, document: numbers <= found and all(test(found, document) for test in tests)


def _any(of: Sequence[Node], leaves: Leaves) -> Predicate:
    numbers, tests = _split(of, leaves)
    return lambda found, document: (
        not numbers.isdisjoint(found) or any(test(found, document) for test in tests)
    )


def _positional(node: Positional, leaves: Leaves) -> Predicate:
    sides = (node.inner,) if isinstance(node, NotWithin) else (node.left, node.right)
    needed = [_numbers(side, leaves) for side in sides]
    return lambda found, document: (
        all(not numbers.isdisjoint(found) for numbers in needed) and holds(node, document)
    )


def _numbers(terms: Sequence[Term], leaves: Leaves) -> frozenset[int]:
    return frozenset(leaves.number(term) for term in terms)
