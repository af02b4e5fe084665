"""What a query costs, and the refusal of what cannot be afforded."""

from __future__ import annotations

from typing import Literal

from ingest.errors import QueryError
from processors.query_tree import (
    And,
    AtLeast,
    Near,
    Node,
    Not,
    NotWithin,
    Or,
    Phrase,
    Positional,
    Query,
    SameSentence,
    Term,
    Wildcard,
    walk,
)

MAX_WORK = 1_000_000_000
"""Estimated pairs of words of one operator: ``s* NEAR/5 t*`` (3.6 billion) took Tantivy 2.2 s on
20,000 texts. Ten three-letter wildcards beside ten others are still allowed.
"""

_DICTIONARY = 20_000  # different words with one given first letter, in a year of news
_BRANCHING = 6  # by how much each further letter divides them
_SENTENCE = 25  # words
_ANY_DISTANCE = 4  # what comparing two words costs at no distance at all, in words of distance

CostClass = Literal["cheap", "moderate", "expensive"]


def expansions(part: Node) -> float:
    """About how many different words ``part`` stands for."""
    match part:
        case Wildcard(pattern=pattern):
            letters = sum(character not in "*?" for character in pattern)
            return max(1.0, _DICTIONARY / float(_BRANCHING) ** max(letters - 1, 0))
        case Phrase(parts=parts):
            return min(expansions(one) for one in parts)
        case _:
            return 1.0


def check_work(query: Query) -> None:
    """Refuse operators whose operands stand for so many words that a search would hang.

    Raises:
        QueryError: above ``MAX_WORK``, in searches, previews and subscriptions alike.
    """
    for node in walk(query.root):
        if isinstance(node, Near | SameSentence | NotWithin) and _work(node) > MAX_WORK:
            raise QueryError(
                "This compares too many words with too many words.",
                hint="Give the wildcards more letters: strik* NEAR/5 talk*",
                caret=node.span[0],
            )


def _work(node: Positional) -> float:
    if isinstance(node, NotWithin):
        return _sum(node.inner) * _sum(node.outer)
    distance = node.distance + _ANY_DISTANCE if isinstance(node, Near) else _SENTENCE
    return _sum(node.left) * _sum(node.right) * distance


def _sum(operands: tuple[Term, ...]) -> float:
    return sum(map(expansions, operands))


def cost_class(query: Query) -> CostClass:
    """How dear a search for ``query`` is: by the words that its patterns stand for."""
    words = 0.0
    for node in walk(query.root):
        words += expansions(node)
        if is_leading(node):
            words += _DICTIONARY / 10
    if not has_positive_clause(query.root):
        words += _DICTIONARY / 10
    if words < _DICTIONARY / 20:
        return "cheap"
    return "moderate" if words < _DICTIONARY else "expensive"


def is_leading(node: Node) -> bool:
    """Whether a word of ``node`` begins with a wildcard."""
    parts = node.parts if isinstance(node, Phrase) else (node,)
    return any(isinstance(part, Wildcard) and part.pattern[0] in "*?" for part in parts)


def has_positive_clause(node: Node) -> bool:
    """Whether only a text that has something of ``node`` can match it."""
    match node:
        case Not():
            return False
        case And(of=of):
            return any(map(has_positive_clause, of))
        case Or(of=of):
            return all(map(has_positive_clause, of))
        case AtLeast(count=count, of=of):
            return count > sum(not has_positive_clause(one) for one in of)
        case _:
            return True
