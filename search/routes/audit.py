"""Routes of the audit."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ingest.wire import as_json
from processors.moments import moment
from search.audit import entries
from search.routes.paging import PageSize
from search.services import Services


def auditing(services: Services) -> APIRouter:
    """The audit: who received what, who changed what."""
    router = APIRouter(prefix="/audit")

    @router.get("")
    def audit(
        since: str = "",
        owner: str = "",
        size: PageSize = 200,
        after: Annotated[str, Query(pattern=r"^\d{0,18}$")] = "",
    ) -> dict[str, Any]:
        """Deliveries and changes, oldest first, a page at a time; for admins."""
        begin = moment(since, now=datetime.now(UTC)) if since else None
        found = entries(services.log, since=begin, after=int(after or -1), owner=owner)
        rows = [(offset, as_json(one)) for offset, one in islice(found, size + 1)]
        more = len(rows) > size
        return {
            "audit": [row for _, row in rows[:size]],
            "after": str(rows[size - 1][0]) if more else "",
        }

    return router
