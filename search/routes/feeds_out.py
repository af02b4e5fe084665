"""A search as a feed for feed readers, and the tokens that open it where a login is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from ingest.errors import NotFoundError
from ingest.wire import as_json
from processors.query import parse
from search.caller import WhoAsks
from search.feed_formats import FeedDocument, FeedEntry, atom, json_feed, rss
from search.feed_tokens import FeedToken, FeedTokens
from search.index import Hit, SearchRequest
from search.problems import problem
from search.services import Services

ENTRIES = 50
NOT_MODIFIED = 304

Kind = Literal["atom", "rss", "json"]
WRITERS: Mapping[Kind, tuple[Callable[[FeedDocument], bytes], str]] = {
    "atom": (atom, "application/atom+xml; charset=utf-8"),
    "rss": (rss, "application/rss+xml; charset=utf-8"),
    "json": (json_feed, "application/feed+json; charset=utf-8"),
}

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type.partition(";")[0]: {} for _, media_type in WRITERS.values()}},
    NOT_MODIFIED: {"description": "The reader has this already."},
}


class NewToken(BaseModel):
    """A token for feed readers, with a name to know it by."""

    model_config = ConfigDict(extra="forbid")
    name: str


def search_feeds(services: Services) -> APIRouter:
    """Searches as feeds."""
    router = APIRouter()
    tokens = FeedTokens(services.log)

    @router.get("/feeds/search.{kind}", response_class=Response, responses=ANSWERS)
    def feed(request: Request, who: WhoAsks, kind: Kind, q: str, token: str = "") -> Response:
        """The newest articles that a search finds, as Atom, RSS or JSON Feed."""
        if token or not who.scopes:
            owner = tokens.owner_of(token)
            if owner is None or not services.accounts.lets_in(owner):
                return _refused()
        query = parse(q, where="search", now=datetime.now(UTC))
        wanted = SearchRequest(query=query, size=ENTRIES, counted=0)
        hits = services.index().search(wanted).hits
        url = request.url.remove_query_params("token")
        page = str(url.replace(path="/").include_query_params(q=q))
        found = FeedDocument(
            title=f"Wirewatch: {q}",
            url=str(url),
            page=page,
            entries=tuple(_entry(one, url.replace(path="", query="")) for one in hits),
        )
        return _answered(request, found, kind)

    return router


def feed_tokens(services: Services) -> APIRouter:
    """The tokens of searches as feeds: add, list, revoke."""
    router = APIRouter(prefix="/feed-tokens")
    tokens = FeedTokens(services.log)

    @router.get("")
    def listed(who: WhoAsks) -> dict[str, Any]:
        """The caller's tokens; what opens the feeds is not shown again."""
        return {"feed_tokens": [_row(one) for one in tokens.all() if who.sees(one.owner)]}

    @router.post("", status_code=201)
    def add(who: WhoAsks, new: NewToken) -> dict[str, Any]:
        """A new token: add ``&token=…`` to the address of a search as a feed."""
        made, token = tokens.add(who.owner, new.name)
        return {**_row(made), "token": token}

    @router.delete("/{token_id}")
    def revoke(who: WhoAsks, token_id: str) -> dict[str, Any]:
        """Revoke a token."""
        one = tokens.get(token_id)
        if not who.sees(one.owner):
            raise NotFoundError(f"there is no feed token {token_id}")
        tokens.revoke(token_id)
        return _row(one)

    return router


def _row(one: FeedToken) -> dict[str, Any]:
    shown: dict[str, Any] = as_json(one)
    del shown["hash"], shown["schema"]
    return shown


def _refused() -> JSONResponse:
    hint = "Make a new one: POST /api/feed-tokens"
    return problem(401, {"error": "This token opens no feed.", "code": "token", "hint": hint})


def _entry(hit: Hit, base: object) -> FeedEntry:
    article = hit.article
    seen = article.seen or datetime.now(UTC)
    return FeedEntry(
        key=article.id,
        title=article.title,
        url=article.url or f"{base}/articles/{article.id}",
        summary=" … ".join(" ".join(one.text.split()) for one in hit.highlights.text),
        source=article.source,
        authors=article.authors,
        topics=hit.topics,
        language=article.language,
        published=article.published,
        updated=max(seen, article.updated) if article.updated else seen,
    )


def _answered(request: Request, feed: FeedDocument, kind: Kind) -> Response:
    write, media_type = WRITERS[kind]
    body = write(feed)
    headers = {
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Last-Modified": format_datetime(feed.updated, usegmt=True),
        "Cache-Control": "private, max-age=60",
    }
    if _is_known(request, headers["ETag"], feed.updated):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _is_known(request: Request, etag: str, updated: datetime) -> bool:
    """Whether the reader has this already (RFC 9110: the tag decides where both are given)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return etag in (one.strip().removeprefix("W/") for one in tags.split(","))
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return since.tzinfo is not None and updated.replace(microsecond=0) <= since
