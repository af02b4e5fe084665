"""Routes of marks: star, note, read. Everybody sees and changes their own only."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ingest.wire import as_json
from search import views
from search.caller import WhoAsks
from search.marks import NOTE_CHARS, Mark
from search.routes.paging import PageSize
from search.services import Services


class MarkChange(BaseModel):
    """What to change of a mark; what is absent stays."""

    model_config = ConfigDict(extra="forbid")
    starred: bool | None = None
    note: Annotated[str, Field(max_length=NOTE_CHARS)] | None = None
    read: bool | None = None


def marking(services: Services) -> APIRouter:
    """Marks: list, change."""
    router = APIRouter()

    @router.get("/marks")
    def marks(
        who: WhoAsks,
        starred: bool | None = None,
        read: bool | None = None,
        size: PageSize = 200,
        after: str = "",
    ) -> dict[str, Any]:
        """What the caller marked, newest first, a page at a time, with the articles."""
        wanted = [
            one
            for one in services.marks.all(who.owner)
            if starred in (None, one.starred) and read in (None, one.read)
        ]
        wanted.sort(key=lambda one: (one.at, one.article_id), reverse=True)
        ids = [one.article_id for one in wanted]
        rows = map(mark_row, views.rest(wanted, after=after, ids=ids))
        found = views.page("marks", rows, size=size, key="article_id")
        for row in found["marks"]:
            row["article"] = _article(services, row["article_id"])
        return found

    @router.put("/articles/{article_id}/mark")
    def mark(who: WhoAsks, article_id: str, changes: MarkChange) -> dict[str, Any]:
        """Star an article, note something about it, or say that it was read."""
        made = services.marks.change(who.owner, article_id, **changes.model_dump())
        return mark_row(made)

    return router


def mark_row(one: Mark) -> dict[str, Any]:
    """A mark as lists show it."""
    shown: dict[str, Any] = as_json(one)
    del shown["owner"], shown["schema"]
    return shown


def _article(services: Services, article_id: str) -> dict[str, Any] | None:
    """What a list shows of the article; None where it is not searchable."""
    found = services.index().get(article_id)
    if found is None:
        return None
    one = as_json(found.article)
    return {name: one[name] for name in ("title", "url", "source", "seen")}
