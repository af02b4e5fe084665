"""``/feeds``: the health of each feed in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ingest.feed_secrets import shown
from ingest.feeds import FeedHealth
from search.pages.frame import Frame
from search.pages.times import Moment, Times
from search.services import Services

PAGE_SIZE = 50
TITLE_CHARS, URL_CHARS, SENTENCE_CHARS = 120, 200, 300
WORST = ("failing", "gone", "blocked", "not-a-feed", "silent", "slow", "ok")
"""What needs somebody's attention, first."""

SAID = {
    "added": "It is polled from now on; its first news come in a minute.",
    "removed": "It is not polled any more; its articles stay.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A feed as the list shows it."""

    id: str
    title: str
    url: str
    state: str
    sentence: str
    last_new: Moment | None
    next_poll: Moment | None
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Renders the page of feeds, with whatever one of its forms has to say."""

    services: Services
    frame: Frame

    def shown(
        self, request: Request, *, page: int = 1, status: int = 200, **said: Any
    ) -> HTMLResponse:
        """The page; ``said``: url, faults, found, report, sentence."""
        feeds = sorted(self.services.feeds.health(now=datetime.now(UTC)), key=by_need)
        page, times = max(1, page), self.frame.times(request)
        told = {
            "url": "",
            "faults": {},
            "found": (),
            "anyway": False,
            "report": None,
            "said": "",
            **said,
        }
        part = feeds[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        return self.frame.page(
            request,
            "feeds.html",
            status=status,
            rows=[row_of(one, times) for one in part],
            summary=summary_of(feeds),
            next_page=f"/feeds?page={page + 1}" if len(feeds) > page * PAGE_SIZE else "",
            **told,
        )


def feed_pages(services: Services, frame: Frame) -> APIRouter:
    """The list of feeds."""
    router = APIRouter(prefix="/feeds")
    listed = FeedPage(services=services, frame=frame)

    @router.get("", response_class=HTMLResponse)
    def feeds(request: Request, page: int = 1, said: str = "") -> HTMLResponse:
        """Feeds, those that need attention first."""
        return listed.shown(request, page=page, said=SAID.get(said, ""))

    return router


def by_need(one: FeedHealth) -> tuple[int, str]:
    """Orders feeds by what needs attention, then by title."""
    return WORST.index(one.state), (one.title or one.url).casefold()


def row_of(one: FeedHealth, times: Times) -> Row:
    """``one`` with its texts cut to the room there is."""
    return Row(
        id=one.feed_id,
        title=(one.title or shown(one.url))[:TITLE_CHARS],
        url=shown(one.url)[:URL_CHARS],
        state=one.state,
        sentence=one.sentence[:SENTENCE_CHARS],
        last_new=times.moment(one.last_new),
        next_poll=times.moment(one.next_poll),
        failures=one.failures,
    )


def summary_of(found: Sequence[FeedHealth]) -> str:
    """All feeds in a sentence."""
    if not found:
        return "No feed is polled yet."
    states = Counter(one.state for one in found)
    bad = len(found) - states["ok"]
    total = f"{len(found):,} feed{'' if len(found) == 1 else 's'}"
    if not bad:
        return f"{total}; all are well."
    return f"{total}; {bad:,} need{'s' if bad == 1 else ''} attention."
