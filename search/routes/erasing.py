"""Route of erasures: an article leaves search, alerts and the log by request."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from search.caller import WhoAsks
from search.erasing import REASON_CHARS
from search.services import Services


class Reason(BaseModel):
    """Why an article must go; the trace keeps it, so it should not repeat what it said."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS)]


def erasing(services: Services) -> APIRouter:
    """Erasing an article; for the scope ``admin``, see ``search.permissions``."""
    router = APIRouter(prefix="/articles")

    @router.post("/{article_id}/erase")
    async def erase(article_id: str, why: Reason, who: WhoAsks) -> dict[str, Any]:
        """Erase an article everywhere, for good; the trace that stays."""
        return await services.erase(article_id, why.reason, who.account)

    return router
