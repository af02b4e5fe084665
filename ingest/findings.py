"""What a fetched answer and its entries say to the schedule."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.answer import FetchResult
from ingest.article import Article, Sighting
from ingest.assembly import Assembly
from ingest.feeds import FeedState
from ingest.outcomes import Answer
from ingest.reading import FeedFacts, ReadFeed

SURE = timedelta(hours=1)
"""An entry dated so long before the last poll was there at that poll, whatever the server said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer and how it came; ``forced`` where validators were there and not sent."""

    result: FetchResult
    at: datetime
    seconds: float = 0.0
    forced: bool = False


def same_answer(state: FeedState, fetched: Fetched) -> Answer:
    """What an answer without news (304, or the same bytes) means for the schedule."""
    result = fetched.result
    return Answer(
        at=fetched.at,
        elapsed_seconds=fetched.seconds,
        etag=result.etag or state.etag,
        last_modified=result.last_modified or state.last_modified,
        advertised_seconds=max(state.advertised_seconds, result.max_age_seconds or 0),
        moved_to=result.permanent_url,
        finished=False,
    )


def answer_of(state: FeedState, fetched: Fetched, found: ReadFeed, assembly: Assembly) -> Answer:
    """What reading the answer of a feed means for its schedule."""
    result = fetched.result
    dates = sorted(
        article.published
        for article in found.articles
        if article.published is not None and article.published <= fetched.at
    )
    return Answer(
        at=fetched.at,
        elapsed_seconds=fetched.seconds,
        etag=result.etag,
        last_modified=result.last_modified,
        body_hash=body_hash(result.body),
        entries=len(found.articles),
        new=len(assembly.sightings),
        missed=_missed(state, fetched, assembly.sightings),
        advertised_seconds=advertised_seconds(found.feed, result),
        rhythm_seconds=rhythm(dates),
        newest=dates[-1] if dates else None,
        full=True,
        moved_to=result.permanent_url,
        title=found.feed.title,
    )


def _missed(state: FeedState, fetched: Fetched, sightings: Sequence[Sighting]) -> int:
    """How many entries only a fetch without conditions brought to light (F28)."""
    if not fetched.forced or state.last_poll is None:
        return 0
    if state.etag and fetched.result.etag == state.etag:
        return len(sightings)
    return sum(_is_before(sighting.article, state.last_poll - SURE) for sighting in sightings)


def _is_before(article: Article, moment: datetime) -> bool:
    return article.published is not None and article.published < moment


def rhythm(dates: Sequence[datetime], *, newest: int = 20) -> float:
    """The average gap in seconds between the ``newest`` of sorted ``dates``; 0 where unknown."""
    recent = dates[-newest:]
    if len(recent) < 2:  # noqa: PLR2004 - a gap has two ends
        return 0.0
    return (recent[-1] - recent[0]).total_seconds() / (len(recent) - 1)


def advertised_seconds(feed: FeedFacts, result: FetchResult | None = None) -> float:
    """The longest time between polls that the feed or its host names; 0 where neither does."""
    ttl = (feed.ttl_minutes or 0) * 60
    age = (result.max_age_seconds or 0) if result else 0
    return float(max(ttl, feed.update_period_seconds or 0, age))


def body_hash(body: bytes) -> str:
    """Tells equal bodies."""
    return hashlib.sha256(body).hexdigest()[:32]
