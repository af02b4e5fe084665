"""``/alerts``: what was sent, to whom, why, and sending it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from ingest.clean import cut
from search import views
from search.alert_state import Alert, State
from search.caller import WhoAsks
from search.pages.frame import Frame, go_to
from search.pages.pieces import TITLE_CHARS, Pieces, language_of, pieces
from search.pages.places import came_from
from search.pages.times import Moment, Times
from search.services import Services
from search.subscriptions import redacted

PAGE_SIZE = 25
REASONS = 6
ATTEMPTS = 8
WORDS = 200
"""Characters of one reason, error or address."""

ITEMS = 8
HELD = {
    "digest": "together, by its schedule",
    "quiet": "held in quiet hours",
    "throttle": "held by the limit of the subscription",
    "storm": "held, since very many came at once",
}
SAID = {"again": "It is being sent again."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A clause of the query, and the words that met it."""

    clause: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt to deliver."""

    at: Moment | None
    to: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An alert as the list shows it."""

    id: str
    title: Pieces
    lang: str
    href: str
    state: str
    subscription: str
    subscription_name: str
    created: Moment | None
    next_attempt: Moment | None
    held: str
    why: tuple[Reason, ...]
    items: tuple[tuple[str, str], ...]
    more: int
    attempts: tuple[Try, ...]
    can_retry: bool


def alert_pages(services: Services, frame: Frame) -> APIRouter:
    """The list of alerts, and the button of each that failed."""
    router = APIRouter(prefix="/alerts")

    @router.get("", response_class=HTMLResponse)
    def alerts(
        request: Request,
        who: WhoAsks,
        state: str = "",
        subscription: str = "",
        digest: str = "",
        after: str = "",
        said: str = "",
    ) -> HTMLResponse:
        """Alerts, newest first."""
        named = services.subscriptions.all(who=who)
        found = [
            one
            for one in views.all_alerts(services.log, about=digest or subscription, who=who)
            if state in ("", one.state)
            and digest in ("", one.digest)
            and subscription in ("", one.subscription)
        ]
        found.sort(key=lambda one: (one.created, one.alert_id), reverse=True)
        shown = following(found, after)
        asked = {"state": state, "subscription": subscription, "digest": digest}
        link = {name: value for name, value in asked.items() if value}
        is_more = len(shown) > PAGE_SIZE
        last = shown[PAGE_SIZE - 1].alert_id if is_more else ""
        times = frame.times(request)
        return frame.page(
            request,
            "alerts.html",
            rows=[alert_row(one, times) for one in shown[:PAGE_SIZE]],
            state=state,
            subscription=subscription,
            states=get_args(State),
            subscriptions=[(one.id, one.name) for one in named],
            next_page="/alerts?" + urlencode({**link, "after": last}) if is_more else "",
            said=SAID.get(said, ""),
        )

    @router.post("/{alert_id}/retry")
    async def retry(request: Request, who: WhoAsks, alert_id: str) -> Response:
        """Deliver a failed alert again."""
        await run_in_threadpool(views.alert, services.log, alert_id, who=who)
        await services.retry_alert(alert_id)
        back = came_from(request, otherwise="/alerts").replace("&said=again", "")
        back = back if back.startswith("/alerts?") else "/alerts?"
        return go_to(f"{back.removesuffix('said=again')}&said=again".replace("?&", "?"))

    return router


def following(found: list[Alert], after: str) -> list[Alert]:
    """What comes behind ``after``, one more than a page; from the top where that is gone."""
    place = next((number for number, one in enumerate(found, 1) if one.alert_id == after), 0)
    return found[place : place + PAGE_SIZE + 1]


def alert_row(one: Alert, times: Times) -> Row:
    """``one`` with its reasons out of what it sends."""
    data = payload_of(one)
    article: dict[str, Any] = data.get("article", {})
    items = list(_items(data))
    why = data.get("why", [])
    in_title = [span for reason in why if reason["zone"] == "title" for span in reason["spans"]]
    return Row(
        id=one.alert_id,
        title=pieces(one.title or "(no title)", in_title, most=TITLE_CHARS),
        lang=language_of(article.get("language", "")),
        href=f"/articles/{one.article_id}" if one.article_id else f"/alerts?digest={one.alert_id}",
        state=one.state,
        subscription=one.subscription,
        subscription_name=one.subscription_name,
        created=times.moment(one.created),
        next_attempt=times.moment(one.next_attempt),
        held=HELD.get(one.held_for, "") if one.state == "held" or one.members else "",
        why=tuple(_reasons(why)),
        items=tuple(items[:ITEMS]),
        more=max(0, len(one.members) - len(items[:ITEMS])),
        attempts=tuple(
            Try(
                at=times.moment(attempt.at),
                to=redacted(attempt.to)[:WORDS],
                error=attempt.error[:WORDS],
            )
            for attempt in reversed(one.attempts[-ATTEMPTS:])
        ),
        can_retry=one.state == "failed",
    )


def _items(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The articles of a digest: address and title."""
    for group in data.get("groups", []):
        for story in group["stories"]:
            for article in story["articles"]:
                title = article["title"] or "(no title)"
                yield f"/articles/{article['id']}", cut(title, TITLE_CHARS)


def _reasons(why: Sequence[Mapping[str, Any]]) -> Iterator[Reason]:
    """A reason a clause, with all its words."""
    words: dict[str, dict[str, None]] = {}
    for one in why:
        words.setdefault(one["clause"], {})[one["text"]] = None
    for clause, texts in islice(words.items(), REASONS):
        yield Reason(clause=clause, texts=tuple(text for text in texts if text)[:REASONS])


def payload_of(one: Alert) -> dict[str, Any]:
    """The data of the body that ``one`` sends; empty where there is none."""
    found: dict[str, Any] = json.loads(one.payload).get("data", {}) if one.payload else {}
    return found
