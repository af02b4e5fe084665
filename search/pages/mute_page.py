"""``/subscriptions/{id}/mute/{story}``: hear nothing more of a story; alerts link here."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from ingest.errors import NotFoundError
from search.alert_state import TOPIC, mute_key
from search.caller import WhoAsks
from search.pages.frame import Frame, go_to
from search.pages.pieces import TITLE_CHARS, language_of
from search.services import Services

SAID = {
    "muted": "It is muted: this subscription tells nothing more of the story.",
    "heard": "It is heard of again.",
}


def mute_page(services: Services, frame: Frame) -> APIRouter:
    """The page with one button: mute, or hear of it again."""
    router = APIRouter(prefix="/subscriptions/{which}/mute/{story_id}")
    store = services.subscriptions

    @router.get("", response_class=HTMLResponse)
    def ask(
        request: Request, who: WhoAsks, which: str, story_id: str, said: str = ""
    ) -> HTMLResponse:
        """Whether the story is to be muted."""
        one = store.get(which, who=who)
        articles = services.index().story(story_id)
        if not articles:
            raise NotFoundError(f"there is no story {story_id}", hint="It may be too old.")
        record = services.log.table(TOPIC).get(mute_key(one.id, story_id))
        first = articles[0].article
        return frame.page(
            request,
            "mute.html",
            id=one.id,
            name=one.name,
            story_id=story_id,
            title=first.title[:TITLE_CHARS] or "(no title)",
            lang=language_of(first.language),
            # What was asked for is written in a moment, by whoever owns the subscription.
            is_muted=said == "muted" or (said != "heard" and bool(record and record.value)),
            said=SAID.get(said, ""),
        )

    @router.post("")
    async def mute(who: WhoAsks, which: str, story_id: str) -> Response:
        """Hear nothing more of it."""
        one = await run_in_threadpool(store.get, which, who=who)
        await services.mute(one.id, story_id)
        return go_to(f"/subscriptions/{one.id}/mute/{story_id}?said=muted")

    @router.post("/end")
    async def hear(who: WhoAsks, which: str, story_id: str) -> Response:
        """Hear of it again."""
        one = await run_in_threadpool(store.get, which, who=who)
        await services.unmute(one.id, story_id)
        return go_to(f"/subscriptions/{one.id}/mute/{story_id}?said=heard")

    return router
