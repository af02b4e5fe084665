"""A query as it is understood, while it is being typed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from ingest.errors import UnavailableError
from processors.query import cost_class, explain, parse, warnings
from processors.query_tree import Query
from search.services import Services
from search.watch_queries import is_watch, parse_watch


def query_checking(services: Services) -> APIRouter:
    """The check of a query."""
    router = APIRouter()

    @router.get("/query/check")
    def check(q: str) -> dict[str, Any]:
        """The query as understood, its cost class, warnings and expected hits a day."""
        return checked_query(services, q)

    return router


def checked_query(services: Services, q: str) -> dict[str, Any]:
    """What ``query check`` says; ``hits_a_day`` is None while the index is away.

    Raises:
        QueryError: it cannot be understood, or is above the work limits.
    """
    if is_watch(q):
        return _watching(q)
    query = parse(q, where="search", now=datetime.now(UTC))
    return {
        "query": q,
        "explanation": list(explain(query)),
        "cost": cost_class(query),
        "warnings": warnings(query, topics={one.id for one in services.topics}),
        "hits_a_day": _hits_a_day(services, query),
    }


def _watching(q: str) -> dict[str, Any]:
    """The same of a query for operators, which finds no articles."""
    return {
        "query": q,
        "explanation": parse_watch(q).explanation(),
        "cost": "cheap",
        "warnings": [],
        "hits_a_day": 0.0,
    }


def _hits_a_day(services: Services, query: Query) -> float | None:
    try:
        return services.index().hits_a_day(query)
    except UnavailableError:
        return None
