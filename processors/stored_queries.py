"""A set of stored queries that changes while it is matched.

As in a log-structured merge tree: a big engine that never changes, a small one for what was put
since, rebuilt when next needed, and the ids that the big one must not speak for. ``compact``
builds a new big engine; its caller chooses when and in which thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType

from processors.document import Document
from processors.matcher import Matcher
from processors.query_tree import Query

COMPACT_AT = 1000
"""Changes after which compacting pays: a small engine of 1,000 queries is built in some 20 ms."""


@dataclass(slots=True)
class _Delta:
    """The queries put since the big engine was built, and an engine over them once asked for."""

    queries: Mapping[str, Query]
    engine: Matcher | None = None

    def match(self, document: Document) -> list[str]:
        if self.engine is None:
            self.engine = Matcher(self.queries)
        return self.engine.match(document)


@dataclass(frozen=True, slots=True)
class _State:
    """What one call of ``match`` sees; replaced as a whole, never changed."""

    settled: Mapping[str, Query]
    engine: Matcher
    delta: _Delta
    hidden: frozenset[str]

    def current(self) -> dict[str, Query]:
        kept = {name: query for name, query in self.settled.items() if name not in self.hidden}
        return kept | dict(self.delta.queries)


class StoredQueries:
    """Stored queries by id: ``put``, ``remove``, ``match``, ``compact`` from any thread."""

    def __init__(self, queries: Mapping[str, Query] = MappingProxyType({})) -> None:
        self._changing = Lock()
        self._state = _State(dict(queries), Matcher(queries), _Delta({}), frozenset())

    def __len__(self) -> int:
        state = self._state
        return len(state.settled) - len(state.hidden) + len(state.delta.queries)

    def __contains__(self, name: object) -> bool:
        state = self._state
        return name in state.delta.queries or (name in state.settled and name not in state.hidden)

    @property
    def changes(self) -> int:
        """Changes since the big engine was built; above ``COMPACT_AT`` it is time to compact."""
        state = self._state
        return len(state.delta.queries) + len(state.hidden)

    def put(self, name: str, query: Query) -> None:
        """Match ``query`` from now on, in place of an earlier one of the same id."""
        with self._changing:
            state = self._state
            self._replace(state, {**state.delta.queries, name: query}, name)

    def remove(self, name: str) -> None:
        """Match the query of this id no more; nothing where there is none."""
        with self._changing:
            state = self._state
            left = {other: one for other, one in state.delta.queries.items() if other != name}
            self._replace(state, left, name)

    def _replace(self, state: _State, queries: Mapping[str, Query], changed: str) -> None:
        hidden = state.hidden | {changed} if changed in state.settled else state.hidden
        self._state = _State(state.settled, state.engine, _Delta(queries), hidden)

    def match(self, document: Document) -> list[str]:
        """The ids of the stored queries that match ``document``."""
        state = self._state
        found = state.engine.match(document)
        if state.hidden:
            found = [name for name in found if name not in state.hidden]
        return found + state.delta.match(document) if state.delta.queries else found

    def compact(self) -> None:
        """Build a big engine of everything and swap it in; changes made meanwhile are kept."""
        before = self._state
        settled = before.current()
        engine = Matcher(settled)
        with self._changing:
            after = self._state.current()
            delta = {name: query for name, query in after.items() if settled.get(name) is not query}
            hidden = frozenset(
                name for name, query in settled.items() if after.get(name) is not query
            )
            self._state = _State(settled, engine, _Delta(delta), hidden)
