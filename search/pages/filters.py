"""Filters as part of a query's text: added by a link of a facet, taken away by the same link. Pure.

What a person typed is never rearranged: a filter is put behind it, or its clause is cut out.
"""

from __future__ import annotations

import re

from processors.query import parse
from processors.query_tree import And, Field, Node, Or

_BARE = re.compile(r"[\w.@-]+")
_JOIN_BEFORE = re.compile(r"\s+(AND\s+)?$")
_JOIN_BEHIND = re.compile(r"^\s+(AND\s+)?")


def clause_of(name: str, value: str) -> str:
    """The clause that asks for ``value``: ``source:bbc.co.uk``."""
    return f"{name}:{value}" if _BARE.fullmatch(value) else f'{name}:"{value.replace(chr(34), "")}"'


def has_filter(query: str, name: str, value: str) -> bool:
    """Whether ``query`` asks for ``value`` with a clause of its own, joined by AND."""
    return _find(query, name, value) is not None


def with_filter(query: str, name: str, value: str) -> str:
    """``query`` that also asks for ``value``."""
    if not query.strip():
        return clause_of(name, value)
    is_choice = isinstance(parse(query).root, Or)
    return (
        f"({query}) {clause_of(name, value)}"
        if is_choice
        else (f"{query} {clause_of(name, value)}")
    )


def without_filter(query: str, name: str, value: str) -> str:
    """``query`` that does not ask for ``value`` any more; empty where it asked for that alone."""
    found = _find(query, name, value)
    if found is None:
        return query
    before, behind = query[: found.span[0]], query[found.span[1] :]
    if _JOIN_BEFORE.search(before):
        rest = _JOIN_BEFORE.sub("", before) + behind
    else:
        rest = before + _JOIN_BEHIND.sub("", behind)
    return _unwrapped(rest.strip())


def toggled(query: str, name: str, value: str) -> str:
    """``query`` without the filter where it has it, else with it."""
    if query.strip() and has_filter(query, name, value):
        return without_filter(query, name, value)
    return with_filter(query, name, value)


def _find(query: str, name: str, value: str) -> Field | None:
    root: Node = parse(query).root
    for node in root.of if isinstance(root, And) else (root,):
        if isinstance(node, Field) and (node.name, node.value) == (name, value):
            return node
    return None


def _unwrapped(query: str) -> str:
    """``query`` without the parentheses around all of it that ``with_filter`` put there."""
    if not (query.startswith("(") and query.endswith(")")):
        return query
    depth = 0
    for place, character in enumerate(query):
        depth += (character == "(") - (character == ")")
        if not depth and place < len(query) - 1:
            return query
    return query[1:-1]
