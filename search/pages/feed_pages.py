"""``/feeds``: the health of each feed in a sentence; add, import, export, remove."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ingest.feed_secrets import shown
from ingest.feeds import FeedHealth
from search.pages.frame import Frame
from search.pages.times import Moment, Times
from search.services import Services

PAGE_SIZE = 100
TITLE_CHARS, URL_CHARS, SENTENCE_CHARS = 120, 200, 300
WORST = ("failing", "gone", "blocked", "not-a-feed", "silent", "slow", "ok")
"""What needs somebody's attention, first."""


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


def feed_pages(services: Services, frame: Frame) -> APIRouter:
    """The list of feeds and its forms."""
    router = APIRouter(prefix="/feeds")

    @router.get("", response_class=HTMLResponse)
    def feeds(request: Request, page: int = 1) -> HTMLResponse:
        """Feeds, those that need attention first."""
        found = sorted(services.feeds.health(now=datetime.now(UTC)), key=by_need)
        page = max(1, page)
        times = frame.times(request)
        return frame.page(
            request,
            "feeds.html",
            rows=[row_of(one, times) for one in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
            summary=summary_of(found),
            next_page=f"/feeds?page={page + 1}" if len(found) > page * PAGE_SIZE else "",
            said="",
        )

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
