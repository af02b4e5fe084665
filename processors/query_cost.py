"""What a query costs: warnings before it is saved, refusal where it cannot be afforded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from ingest.errors import QueryError
from processors.query_tree import (
    And,
    AtLeast,
    Field,
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
    TimeRange,
    Wildcard,
    Word,
    walk,
)

MAX_WORK = 100_000_000
"""Estimated position pairs of one operator: ``s* NEAR/5 t*`` took 2.2 s on 20,000 texts."""

_DICTIONARY = 20_000  # different words with one given first letter, in a year of news
_BRANCHING = 6  # by how much each further letter divides them
_SENTENCE = 25  # words

CostClass = Literal["cheap", "moderate", "expensive"]


def expansions(part: Node) -> float:
    """About how many different words ``part`` stands for."""
    match part:
        case Wildcard(pattern=pattern):
            letters = sum(character not in "*?" for character in pattern)
            return max(1.0, _DICTIONARY / _BRANCHING ** max(letters - 1, 0))
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
    distance = node.distance + 1 if isinstance(node, Near) else _SENTENCE
    return _sum(node.left) * _sum(node.right) * distance


def _sum(operands: tuple[Term, ...]) -> float:
    return sum(map(expansions, operands))


def cost_class(query: Query) -> CostClass:
    """How dear a search for ``query`` is: by leading wildcards and words that patterns stand for."""
    words = 0.0
    for node in walk(query.root):
        words += expansions(node)
        if _is_leading(node):
            words += _DICTIONARY / 10
    if not has_positive_clause(query.root):
        words += _DICTIONARY / 10
    if words < _DICTIONARY / 20:
        return "cheap"
    return "moderate" if words < _DICTIONARY else "expensive"


def _is_leading(node: Node) -> bool:
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


def warnings(query: Query, *, is_known: Callable[[str], bool] | None = None) -> list[str]:
    """Sentences about what the writer of ``query`` may not have meant.

    Args:
        is_known: Whether any article so far has a (folded) word.
    """
    return list(dict.fromkeys(_warnings(query, is_known)))


def _warnings(query: Query, is_known: Callable[[str], bool] | None) -> Iterator[str]:
    if not has_positive_clause(query.root):
        yield "Nothing in this query must be there, so it matches nearly every article."
    for node in walk(query.root):
        clause = query.clause(node)
        if isinstance(node, Word) and clause in ("or", "and", "not"):
            yield f"“{clause}” in small letters is a word; the operator is {clause.upper()}."
        if isinstance(node, Word | Wildcard | Phrase) and _is_leading(node):
            yield f"“{clause}” begins with a wildcard: a search for it reads every word there is."
        for word in _words(node):
            if is_known is not None and not is_known(word):
                yield f"No article so far has the word “{word}”."


def _words(node: Node) -> Iterator[str]:
    if isinstance(node, Phrase):
        for part in node.parts:
            yield from _words(part)
    elif isinstance(node, Word):
        yield node.value


def explain(query: Query) -> list[str]:
    """The tree of ``query`` as indented lines that a person can read."""
    return list(_explained(query.root, 0))


def _explained(node: Node, depth: int) -> Iterator[str]:
    indent = "  " * depth
    match node:
        case And(of=of):
            yield f"{indent}all of"
        case Or(of=of):
            yield f"{indent}one of"
        case AtLeast(count=count, of=of):
            yield f"{indent}at least {count} of"
        case Not(of=one):
            yield f"{indent}not"
            of = (one,)
        case _:
            yield f"{indent}{describe(node)}"
            return
    for child in of:
        yield from _explained(child, depth + 1)


def describe(node: Node) -> str:
    """One line about a node that is no AND, OR, NOT or ATLEAST."""
    match node:
        case Near():
            order = "in this order" if node.ordered else "in any order"
            pair = f"{_alternatives(node.left)} and {_alternatives(node.right)}"
            return f"{pair}, at most {node.distance} words between, {order}"
        case SameSentence():
            return f"{_alternatives(node.left)} and {_alternatives(node.right)} in one sentence"
        case NotWithin():
            return f"{_alternatives(node.inner)} outside of {_alternatives(node.outer)}"
        case Field():
            return f"{node.name} is {node.value}"
        case TimeRange():
            start = f" from {node.start:%Y-%m-%d %H:%M:%S}" if node.start else ""
            end = f" before {node.end:%Y-%m-%d %H:%M:%S}" if node.end else ""
            return f"{node.name}{start}{end} UTC"
        case And() | Or() | Not() | AtLeast():
            return "a group"
        case _:
            return _term(node)


def _alternatives(operands: tuple[Term, ...]) -> str:
    return " or ".join(map(_term, operands))


def _term(node: Term) -> str:
    place = f" in the {node.zone}" if node.zone else ""
    match node:
        case Word(value=value):
            return f"word {value}{place}"
        case Wildcard(pattern=pattern):
            return f"word like {pattern}{place}"
        case Phrase(parts=parts):
            words = " ".join(_term(part).split(" in the ")[0].split(" ")[-1] for part in parts)
            return f"phrase “{words}”{place}"
        case _:
            return f"word {node.value} with this case{place}"
