"""Of a query whose candidates are verified: what need not be, since it matches for certain. Pure.

Most of what ``apple NOT WITHIN "apple pie"`` finds has no "apple pie" in it at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from processors.query_tree import And, AtLeast, Node, Not, NotWithin, Or
from processors.records import Zone
from search.translate import FIELDS, Queries, translate

Q = TypeVar("Q")


def certain(node: Node, queries: Queries[Q]) -> Q | None:
    """A query that finds nothing but what ``node`` does; None where none is known."""
    found = translate(node, queries)
    if found.exact:
        return found.query
    match node:
        case And() | Not():
            return _all(node.of if isinstance(node, And) else (node,), queries)
        case Or(of=of):
            return _any([certain(one, queries) for one in of], queries)
        case AtLeast(count=count, of=of):
            known = _known([certain(one, queries) for one in of])
            return queries.at_least(count, known) if len(known) >= count else None
        case NotWithin():
            return _any([_outside(node, zone, queries) for zone in FIELDS[node.zone]], queries)
        case _:
            return None


def _all(of: Sequence[Node], queries: Queries[Q]) -> Q | None:
    wanted = [certain(one, queries) for one in of if not isinstance(one, Not)]
    known = _known(wanted)
    if len(known) < len(wanted):
        return None
    # What only may be found is left out as well.
    unwanted = [translate(one.of, queries).query for one in of if isinstance(one, Not)]
    return queries.all_of(known or [queries.everything()], without=unwanted)


def _any(found: Sequence[Q | None], queries: Queries[Q]) -> Q | None:
    known = _known(found)
    return queries.any_of(known) if known else None


def _outside(node: NotWithin, zone: Zone, queries: Queries[Q]) -> Q | None:
    """What has the inner words in ``zone`` and none of the outer."""
    inner = _any([certain(replace(one, zone=zone), queries) for one in node.inner], queries)
    outer = [translate(replace(one, zone=zone), queries).query for one in node.outer]
    return None if inner is None else queries.all_of([inner], without=outer)


def _known(found: Sequence[Q | None]) -> list[Q]:
    return [one for one in found if one is not None]
