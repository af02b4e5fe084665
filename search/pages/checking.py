"""What a page's script asks for while a query is being typed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ingest.errors import QueryError
from search.pages.faults import for_page
from search.routes.query_check import checked_query
from search.services import Services


def checking(services: Services) -> APIRouter:
    """The check of a query that is not finished yet."""
    router = APIRouter(prefix="/query")

    @router.get("/check")
    def check(q: str, use: str = "search") -> dict[str, Any]:
        """As ``/api/query/check``; a fault is an answer, not an error that browsers report."""
        try:
            if use == "subscription":
                services.subscriptions.check_query(q)
            return checked_query(services, q)
        except QueryError as error:
            return {**error.as_json(), "hint": for_page(error.hint)}

    return router
