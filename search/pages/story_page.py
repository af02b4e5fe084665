"""``/stories/{id}``: every telling of a story, when each came, what was changed, who is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ingest.errors import NotFoundError
from processors.records import StoryRecord
from search import views
from search.caller import Caller, WhoAsks
from search.charts import WIDTH, time_line
from search.diffs import Change, changes
from search.pages.article_page import shortened
from search.pages.frame import Frame
from search.pages.pieces import TITLE_CHARS, language_of, link_of
from search.pages.times import Moment, Times
from search.services import Services

PAGE_SIZE = 50
DOTS = 120
DOT_APART, DOT_ROOM = 12.0, 14
EDITED = 20
"""Edits listed, newest first; the first of them is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One telling."""

    id: str
    title: str
    lang: str
    source: str
    url: str
    seen: Moment | None
    copy_of: str
    similarity: str
    revisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A telling on the time line."""

    x: float
    y: float
    copy: bool
    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The time line: from when to when."""

    dots: tuple[Dot, ...]
    height: int
    first: Moment | None
    last: Moment | None
    width: int = WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A revision of one of the tellings."""

    id: str
    source: str
    number: int
    seen: Moment | None


def story_page(services: Services, frame: Frame) -> APIRouter:
    """The page of a story."""
    router = APIRouter(prefix="/stories")

    @router.get("/{story_id}", response_class=HTMLResponse)
    def story(request: Request, who: WhoAsks, story_id: str, page: int = 1) -> HTMLResponse:
        """A story with its articles, oldest first."""
        found = list(services.index().story(story_id))
        if not found:
            raise NotFoundError(
                f"there is no story {story_id}", hint="Take the address from a search hit."
            )
        times, page = frame.times(request), max(1, page)
        edits = list(_edits(found, times))
        return frame.page(
            request,
            "story.html",
            story_id=story_id,
            title=found[0].article.title[:TITLE_CHARS] or "(no title)",
            lang=language_of(found[0].article.language),
            size=len(found),
            copies=sum(bool(one.copy_of) for one in found),
            sources=list(dict.fromkeys(one.article.source for one in found)),
            rows=[_row(one, times) for one in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
            next_page=f"/stories/{story_id}?page={page + 1}"
            if len(found) > page * PAGE_SIZE
            else "",
            line=_line(found, times),
            edits=edits[:EDITED],
            last_edit=_last_edit(found),
            told=_told(services, found[0].story_id, who),
        )

    return router


def _row(one: StoryRecord, times: Times) -> Row:
    article = one.article
    return Row(
        id=article.id,
        title=article.title[:TITLE_CHARS] or "(no title)",
        lang=language_of(article.language),
        source=article.source,
        url=link_of(article.url),
        seen=times.moment(article.seen),
        copy_of=one.copy_of,
        similarity=f"{one.similarity:.0%}",
        revisions=len(one.revisions),
    )


def _line(found: Sequence[StoryRecord], times: Times) -> Line:
    shown = found[:DOTS]
    moments = [seen_of(one) for one in shown]
    placed = time_line(moments, apart=DOT_APART)
    dots = tuple(
        Dot(
            x=dot.x,
            y=DOT_ROOM / 2 + DOT_ROOM * dot.row,
            copy=bool(one.copy_of),
            label=f"{one.article.source}: {one.article.title[:80]}",
            href=f"/articles/{one.article.id}",
        )
        for one, dot in zip(shown, placed, strict=True)
    )
    return Line(
        dots=dots,
        height=DOT_ROOM * (1 + max(dot.row for dot in placed)),
        first=times.moment(min(moments)),
        last=times.moment(max(moments)),
    )


def seen_of(one: StoryRecord) -> datetime:
    """When an article was seen; the register stamps every one."""
    return one.article.seen or datetime.fromtimestamp(0, UTC)


def _edits(found: Sequence[StoryRecord], times: Times) -> Iterator[Edit]:
    """Every revision whose text and the one before are kept, newest first."""
    edits = []
    for one in found:
        kept = {revision.number for revision in one.revisions if revision.text}
        moments = {revision.number: revision.seen for revision in one.revisions}
        moments[one.article.revision] = one.revised or seen_of(one)
        for number, seen in moments.items():
            if number - 1 in kept and (number in kept or number == one.article.revision):
                edits.append((seen, one.article.id, one.article.source, number))
    for seen, article_id, source, number in sorted(edits, reverse=True):
        yield Edit(id=article_id, source=source, number=number, seen=times.moment(seen))


def _last_edit(found: Sequence[StoryRecord]) -> tuple[Change, ...]:
    """What the newest revision of all tellings changed."""
    revised = [one for one in found if one.revisions and one.revisions[-1].text]
    if not revised:
        return ()
    newest = max(revised, key=lambda one: one.revised or seen_of(one))
    shown, _ = shortened(changes(newest.revisions[-1].text, newest.article.text))
    return shown


def _told(services: Services, story_id: str, who: Caller) -> list[tuple[str, str]]:
    """The subscriptions that were alerted of the story: those that one may want to mute."""
    named = {one.id: one.name for one in services.subscriptions.all(who=who)}
    told = {
        one.subscription: named[one.subscription]
        for one in views.all_alerts(services.log, about=story_id, who=who)
        if one.story_id == story_id and one.subscription in named
    }
    return sorted(told.items(), key=lambda one: one[1].casefold())
