"""Many stored queries against one article (percolation).

One automaton finds every leaf of every query in one pass; numpy counts, for each query, how many
of its necessary clauses have a leaf among them. A query whose plan is exact is done then. The few
others that have all their clauses are tested one by one. 100,000 queries cost about as much as
reading the text eight times (``tests/benchmarks/bench_matching.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from processors.clauses import Clause, Plan, plan
from processors.document import Document
from processors.leaves import LeafFinder, Leaves
from processors.postings import Numbers, Postings, counted, different, is_among
from processors.predicates import Predicate, compiled, register
from processors.query_tree import Node, Query

_COUNT_BITS = 3
_COUNT_MASK = (1 << _COUNT_BITS) - 1
_EXACT_BIT = _COUNT_BITS + 1
_MAX_CLAUSES = 1 << _COUNT_BITS
"""Clauses counted per query; of more, the narrowest are, and survivors are tested.

A posting is one number, so that nothing has to be looked up while counting: the query's number,
a bit that says whether its plan is exact, its count of clauses less one, the clause's place.
"""


class Matcher:
    """An immutable engine over ``queries`` by id; safe to use from several threads.

    ``match`` says for each query what ``reference.matches`` says.
    """

    def __init__(self, queries: Mapping[str, Query]) -> None:
        names: dict[Node, list[str]] = {}
        for name, query in queries.items():
            names.setdefault(query.root, []).append(name)
        self._roots = list(names)
        self._names = [first for first, *_ in names.values()]
        self._others = {
            number: tuple(others) for number, (_, *others) in enumerate(names.values()) if others
        }
        self._leaves = Leaves()
        self._always: list[int] = []
        self._predicates: dict[int, Predicate] = {}
        self._index([_limited(plan(root, self._leaves)) for root in self._roots])
        self._finder = LeafFinder(self._leaves.all())

    def _index(self, plans: list[Plan]) -> None:
        for root, one in zip(self._roots, plans, strict=True):
            if not one.exact:
                register(root, self._leaves)
        clauses: list[list[int]] = [[] for _ in range(len(self._leaves))]
        barred: list[list[int]] = [[] for _ in range(len(self._leaves))]
        for number, one in enumerate(plans):
            if not one.clauses:
                self._always.append(number)
            key = number << _EXACT_BIT | one.exact << _COUNT_BITS | len(one.clauses) - 1
            for place, clause in enumerate(one.clauses):
                for leaf in clause:
                    clauses[leaf].append(key << _COUNT_BITS | place)
            for leaf in one.barred:
                barred[leaf].append(number)
        self._clauses, self._barred = Postings(clauses), Postings(barred)

    def match(self, document: Document) -> list[str]:
        """The ids of the queries that match ``document``, in no particular order."""
        leaves = self._finder.find(document)
        matching, possible = self._candidates(leaves)
        if possible:
            found = set(leaves.tolist())
            matching += [number for number in possible if self._holds(number, found, document)]
        names = [self._names[number] for number in matching]
        for number in self._others.keys() & matching if self._others else ():
            names += self._others[number]
        return names

    def _candidates(self, leaves: Numbers) -> tuple[list[int], Sequence[int]]:
        """Queries that match for certain, and queries to test."""
        keys, counts = counted(different(self._clauses.of(leaves)) >> _COUNT_BITS)
        keys = keys[(keys & _COUNT_MASK) < counts]
        if not len(keys):
            return [], self._always
        numbers = keys >> _EXACT_BIT
        is_exact = (keys >> _COUNT_BITS & 1).astype(bool)
        barred = self._barred.of(leaves)
        if len(barred):
            is_free = ~is_among(numbers, barred)
            numbers, is_exact = numbers[is_free], is_exact[is_free]
        return numbers[is_exact].tolist(), [*numbers[~is_exact].tolist(), *self._always]

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
