"""Many stored queries against one article (percolation).

One automaton finds every leaf of every query in one pass; numpy counts, for each query, how many
of its necessary clauses have a leaf among them. A query whose plan is exact is done then. The few
others that have all their clauses are tested one by one. 100,000 queries cost about as much as
reading the text eight times (``tests/benchmarks/bench_matching.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from processors.clauses import Clause, Plan, plan
from processors.document import Document
from processors.leaves import LeafFinder, Leaves
from processors.postings import Numbers, Postings, counted, different
from processors.predicates import Predicate, compiled, register
from processors.query_tree import Node, Query

_MAX_CLAUSES = 8
"""Clauses counted per query; of more, the narrowest are, and survivors are tested."""


class Matcher:
    """An immutable engine over ``queries`` by id; safe to use from several threads.

    ``match`` says for each query what ``reference.matches`` says.
    """

    def __init__(self, queries: Mapping[str, Query]) -> None:
        ids: dict[Node, list[int]] = {}
        self._names = list(queries)
        for place, query in enumerate(queries.values()):
            ids.setdefault(query.root, []).append(place)
        self._roots = list(ids)
        self._places = Postings(list(ids.values()))
        self._leaves = Leaves()
        self._always: list[int] = []
        self._predicates: dict[int, Predicate] = {}
        self._index([_limited(plan(root, self._leaves)) for root in self._roots])
        self._finder = LeafFinder(self._leaves.all())

    def __len__(self) -> int:
        return len(self._names)

    def _index(self, plans: list[Plan]) -> None:
        for root, one in zip(self._roots, plans, strict=True):
            if not one.exact:
                register(root, self._leaves)
        clauses: list[list[int]] = [[] for _ in range(len(self._leaves))]
        barred: list[list[int]] = [[] for _ in range(len(self._leaves))]
        owners: list[int] = []
        for number, one in enumerate(plans):
            if not one.clauses:
                self._always.append(number)
            for clause in one.clauses:
                for leaf in clause:
                    clauses[leaf].append(len(owners))
                owners.append(number)
            for leaf in one.barred:
                barred[leaf].append(number)
        self._clauses, self._barred = Postings(clauses), Postings(barred)
        self._owners = np.array(owners, np.int32)
        self._needed = np.array([len(one.clauses) for one in plans], np.int64)
        self._exact = np.array([one.exact for one in plans], bool)

    def match(self, document: Document) -> list[str]:
        """The ids of the queries that match ``document``, in the order they were given."""
        found = self._finder.find(document)
        certain, possible = self._candidates(np.fromiter(found, np.int64, len(found)))
        proven = [number for number in possible if self._holds(number, found, document)]
        numbers = np.concatenate((certain, np.array(proven, np.int64)))
        names = self._names
        return [names[place] for place in self._places.of(numbers).tolist()]

    def _candidates(self, leaves: NDArray[np.int64]) -> tuple[Numbers, list[int]]:
        """Queries that match for certain, and queries to test."""
        numbers, counts = counted(self._owners[different(self._clauses.of(leaves))])
        numbers = numbers[counts == self._needed[numbers]]
        barred = self._barred.of(leaves)
        if len(barred):
            numbers = numbers[~np.isin(numbers, barred)]
        is_exact = self._exact[numbers]
        return numbers[is_exact], [*numbers[~is_exact].tolist(), *self._always]

    def _holds(self, number: int, found: set[int], document: Document) -> bool:
        test = self._predicates.get(number)
        if test is None:
            test = self._predicates[number] = compiled(self._roots[number], self._leaves)
        return test(found, document)


def _limited(one: Plan) -> Plan:
    if len(one.clauses) <= _MAX_CLAUSES:
        return one
    narrowest: list[Clause] = sorted(one.clauses, key=len)[:_MAX_CLAUSES]
    return Plan(tuple(narrowest), exact=False, barred=one.barred)
