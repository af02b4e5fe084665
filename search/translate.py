"""From a query to a query of an engine, and whether it finds exactly the same.

What is not exact finds more: candidates, which ``processors.reference`` then verifies. The walk
is the same for each engine; what an engine can be asked is its ``Queries``. No engine's parser
ever sees what a user typed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, Protocol, TypeVar

from ingest.errors import QueryError
from processors.query_cost import expansions
from processors.query_tree import (
    And,
    AtLeast,
    Field,
    FieldName,
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
    TimeField,
    TimeRange,
    Wildcard,
    walk,
)
from processors.records import Zone

MAX_WORDS = 250_000
"""Words that the wildcards of a search may stand for, about: twelve of one letter."""

_MAX_JOKERS = 4  # ``?`` beside a ``*``: each doubles the automaton
_WHOLE_DICTIONARY = 20_000.0
FIELDS: dict[Zone | None, tuple[Zone, ...]] = {
    None: ("title", "body"),
    "title": ("title",),
    "lead": ("lead",),
    "body": ("body",),
}
"""Where the engine looks for a term of a zone."""

Q = TypeVar("Q")


@dataclass(frozen=True, slots=True)
class Translation(Generic[Q]):
    """A query for an engine; not ``exact``: it finds all that match, and more."""

    query: Q
    exact: bool = True


class Queries(Protocol[Q]):
    """The pieces of queries that an engine is asked, made without its parser."""

    def everything(self) -> Q:
        """All articles."""

    def value(self, name: FieldName, value: str) -> Q:
        """Articles with this value of a field clause."""

    def between(self, name: TimeField, start: datetime | None, end: datetime | None) -> Q:
        """Articles whose time ``name`` is from ``start`` on and before ``end``."""

    def all_of(self, queries: Sequence[Q], *, without: Sequence[Q] = ()) -> Q:
        """What each of ``queries`` finds and none of ``without``."""

    def any_of(self, queries: Sequence[Q]) -> Q:
        """What one of ``queries`` finds."""

    def at_least(self, least: int, queries: Sequence[Q]) -> Q:
        """What ``least`` of ``queries`` find."""

    def word(self, part: Part, zone: Zone) -> Translation[Q]:
        """A word, a pattern or a word with its case in ``zone``."""

    def phrase(self, parts: Sequence[Part], zone: Zone) -> Translation[Q] | None:
        """Two or more parts side by side; None where the engine cannot say it."""

    def positional(self, node: Positional, zone: Zone) -> Q | None:
        """Exactly ``node`` in ``zone``; None where the engine cannot say it."""


def check_words(query: Query) -> None:
    """Refuse wildcards that together stand for so many words that a search would hang.

    Raises:
        QueryError: above ``MAX_WORDS``.
    """
    total = 0.0
    for node in walk(query.root):
        for part in node.parts if isinstance(node, Phrase) else (node,):
            if isinstance(part, Wildcard):
                is_leading = part.pattern[0] in "*?"
                total += _WHOLE_DICTIONARY if is_leading else expansions(part)
        if total > MAX_WORDS:
            raise QueryError(
                "The wildcards of this search stand for too many words.",
                hint="Give them more letters in front, or search for fewer at a time.",
                caret=node.span[0],
            )


def is_hard(pattern: str) -> bool:
    """Whether the automaton of a wildcard would outgrow an engine: ``*a?????``."""
    return "*" in pattern and pattern.count("?") > _MAX_JOKERS


def parts_of(term: Term) -> tuple[Part, ...]:
    """The words of ``term``, side by side."""
    return term.parts if isinstance(term, Phrase) else (term,)


def translate(node: Node, queries: Queries[Q]) -> Translation[Q]:
    """``node`` for the engine of ``queries``."""
    return _Translator(queries).node(node)


class _Translator(Generic[Q]):
    def __init__(self, queries: Queries[Q]) -> None:
        self._queries = queries

    def node(self, node: Node) -> Translation[Q]:
        match node:
            case And(of=of):
                return self._all(of)
            case Or(of=of):
                return self._any(map(self.node, of))
            case AtLeast(count=count, of=of):
                return _joined(partial(self._queries.at_least, count), map(self.node, of))
            case Not():
                return self._all((node,))
            case _:
                return self._leaf(node)

    def _leaf(self, node: Term | Positional | Field | TimeRange) -> Translation[Q]:
        match node:
            case Field(name=name, value=value):
                return Translation(self._queries.value(name, value))
            case TimeRange(name=time, start=start, end=end):
                return Translation(self._queries.between(time, start, end))
            case Near() | SameSentence() | NotWithin():
                return self._any(self._positional(node, zone) for zone in FIELDS[node.zone])
            case _:
                return self._any(self._term(node, zone) for zone in FIELDS[node.zone])

    def _all(self, of: Sequence[Node]) -> Translation[Q]:
        wanted: list[Q] = []
        unwanted: list[Q] = []
        exact = True
        for one in of:
            found = self.node(one.of if isinstance(one, Not) else one)
            exact = exact and found.exact
            if not isinstance(one, Not):
                wanted.append(found.query)
            elif found.exact:  # of what only may match, nothing can be left out
                unwanted.append(found.query)
        return Translation(
            self._queries.all_of(wanted or [self._queries.everything()], without=unwanted), exact
        )

    def _any(self, found: Iterable[Translation[Q]]) -> Translation[Q]:
        return _joined(self._queries.any_of, found)

    def _term(self, term: Term, zone: Zone) -> Translation[Q]:
        match term:
            case Phrase(parts=parts):
                words = (self._queries.word(part, zone).query for part in parts)
                return self._queries.phrase(parts, zone) or Translation(
                    self._queries.all_of([*words]), exact=False
                )
            case _:
                return self._queries.word(term, zone)

    def _positional(self, node: Positional, zone: Zone) -> Translation[Q]:
        query = self._queries.positional(node, zone)
        if query is not None:
            return Translation(query)
        sides = (node.inner,) if isinstance(node, NotWithin) else (node.left, node.right)
        candidates = self._queries.all_of([self._one_of(side, zone) for side in sides])
        return Translation(candidates, exact=False)

    def _one_of(self, terms: Sequence[Term], zone: Zone) -> Q:
        return self._queries.any_of([self._term(term, zone).query for term in terms])


def _joined(join: Callable[[Sequence[Q]], Q], found: Iterable[Translation[Q]]) -> Translation[Q]:
    several = list(found)
    return Translation(join([one.query for one in several]), all(one.exact for one in several))
