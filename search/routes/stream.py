"""Alerts as they happen, as server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from search.caller import WhoAsks
from search.services import Services


def streaming(services: Services) -> APIRouter:
    """The live stream."""
    router = APIRouter()

    @router.get(
        "/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def stream(
        who: WhoAsks,
        last_event_id: Annotated[str, Header()] = "",
        stories: bool = False,
    ) -> StreamingResponse:
        """Server-sent events: ``alert`` as they happen and change; ``Last-Event-ID`` resumes.

        ``reset``: too much was missed, read the lists again. With ``stories``, ``story`` tells at
        most once a second how many records were written for articles.
        """
        start = await services.live.begin(last_event_id)
        return StreamingResponse(
            services.live.events(start, who.sees, stories=stories),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router
