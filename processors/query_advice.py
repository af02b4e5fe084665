"""What to tell the writer of a query: how it was understood, and what was perhaps not meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches

from ingest.errors import QueryError
from processors.query_cost import has_positive_clause, is_leading
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
    Part,
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


def warnings(
    query: Query,
    *,
    is_known: Callable[[str], bool] | None = None,
    topics: Collection[str] | None = None,
) -> list[str]:
    """Sentences about what the writer of ``query`` may not have meant.

    ``is_known`` says whether any article so far has a (folded) word; ``topics`` are all there are.
    """
    found = [*_warnings(query, is_known)]
    if topics is not None:
        found += [f"{error.sentence} {error.hint}" for error in _unknown_topics(query, topics)]
    return list(dict.fromkeys(found))


def check_topics(query: Query, topics: Collection[str]) -> None:
    """Refuse a query for a topic that is none of ``topics``. Raises QueryError."""
    for error in _unknown_topics(query, topics):
        raise error


def _unknown_topics(query: Query, topics: Collection[str]) -> Iterator[QueryError]:
    for node in walk(query.root):
        if not isinstance(node, Field) or node.name != "topic":
            continue
        name = node.value.partition("@")[0]
        if name not in topics:
            close = get_close_matches(name, topics, n=1)
            hint = f"Did you mean topic:{close[0]}?" if close else "See: wirewatch topics list"
            yield QueryError(f"There is no topic {name}.", hint=hint, caret=node.span[0])


def _warnings(query: Query, is_known: Callable[[str], bool] | None) -> Iterator[str]:
    if not has_positive_clause(query.root):
        yield "Nothing in this query must be there, so it matches nearly every article."
    for node in walk(query.root):
        clause = query.clause(node)
        if isinstance(node, Word) and clause in ("or", "and", "not"):
            yield f"“{clause}” in small letters is a word; the operator is {clause.upper()}."
        if isinstance(node, Word | Wildcard | Phrase) and is_leading(node):
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


def describe(node: Term | Positional | Field | TimeRange) -> str:
    """One line about a node that is a leaf or has positions."""
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
        case _:
            return _term(node)


def _alternatives(operands: tuple[Term, ...]) -> str:
    found = " or ".join(map(_term, operands))
    return found if len(operands) == 1 else f"({found})"


def _term(node: Term) -> str:
    place = f" in the {node.zone}" if node.zone else ""
    match node:
        case Word(value=value):
            return f"word {value}{place}"
        case Wildcard(pattern=pattern):
            return f"word like {pattern}{place}"
        case Phrase(parts=parts):
            return f"phrase “{' '.join(map(_as_typed, parts))}”{place}"
        case _:
            return f"word {node.value} with this case{place}"


def _as_typed(part: Part) -> str:
    match part:
        case Word(value=value):
            return value
        case Wildcard(pattern=pattern):
            return pattern
        case Cased(value=value):
            return f"={value}"
