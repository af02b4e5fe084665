"""The route of exports: everything a search finds, as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from processors.moments import moment
from processors.query import parse
from search.export import Format, as_lines, head, pages, row
from search.index import Hit, SearchRequest
from search.services import Services

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type.partition(";")[0]: {} for media_type in MEDIA_TYPES.values()}}
}


def exporting(services: Services) -> APIRouter:
    """The export of a search."""
    router = APIRouter()

    @router.get("/export", response_class=StreamingResponse, responses=ANSWERS)
    def export(
        q: str,
        since: str = "",
        until: str = "",
        kind: Annotated[Format, Query(alias="format")] = "csv",
    ) -> StreamingResponse:
        """All that a search finds, newest first; breaks off where the index goes away."""
        found = exported_pages(services, q=q, since=since, until=until)
        # The first page now: what is wrong with the query is a problem document.
        found = chain([next(found)], found)
        name = f"wirewatch-{datetime.now(UTC):%Y-%m-%d}.{kind}"
        return StreamingResponse(
            _text(found, kind),
            media_type=MEDIA_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return router


def exported_pages(
    services: Services, *, q: str, since: str, until: str
) -> Iterator[Sequence[Hit]]:
    """What is found, as asked for in words, in pages. Raises QueryError, UsageError."""
    now = datetime.now(UTC)
    request = SearchRequest(
        query=parse(q, where="search", now=now),
        since=moment(since, now=now) if since else None,
        until=moment(until, now=now) if until else None,
    )
    return pages(services.index(), request)


def _text(found: Iterator[Sequence[Hit]], kind: Format) -> Iterator[str]:
    yield head(kind)
    for page in found:
        yield as_lines(map(row, page), kind)
