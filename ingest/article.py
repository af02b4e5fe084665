"""The article and the sighting of it: what travels from the poller to every later stage."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingest.wire import SCHEMA, Time

Cause = Literal["live", "first-poll", "replay", "backfill", "fulltext"]
"""Why a record exists. Alerts act on ``live`` and ``fulltext`` only (ARCHITECTURE section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One news item, normalised: what the publisher said, and where.

    Attributes:
        id: See ``ingest.identity``; 22 characters of base64url.
        feeds: Ids of every feed it was seen in, the first one first.
        source: Host of ``url`` without ``www.``.
        url: The link to show, http(s) or empty.
        guid: As the feed wrote it, never resolved.
        title: Plain text, at most 1,000 characters.
        text: Plain text, paragraphs separated by a newline, at most 400 kB of UTF-8.
        language: Detected, BCP 47 primary tag; empty until tagged.
        language_declared: What the feed claims.
        published: In UTC; None until the register sets it to ``seen``, where the claim is unusable.
        published_claimed: The date as the feed wrote it.
        date_source: Which element gave ``published`` (``published``, ``updated``, ``none``, …).
        groups: OPML folders of its feeds.
        notes: What was repaired, cut or guessed, one phrase each.
        seen: Stamped once by the register from the log's append time.
        revision: 0 until registered, then 1, 2, ….
        content_hash: Over title, text and canonical URL, not dates.
    """

    id: str
    feed_id: str
    feeds: tuple[str, ...] = ()
    source: str = ""
    url: str = ""
    canonical_url: str = ""
    guid: str = ""
    title: str = ""
    text: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    language_declared: str = ""
    published: Time | None = None
    published_claimed: str = ""
    date_source: str = "none"
    updated: Time | None = None
    groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seen: Time | None = None
    revision: int = 0
    content_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A poller saw ``article`` in a feed: the record of the ``articles`` topic.

    Attributes:
        fetched: The poller's clock at the end of the fetch; never decides anything.
        poll: Number of the poll of that feed, counted from 1.
    """

    article: Article
    fetched: Time
    cause: Cause = "live"
    poll: int = 0
    schema: int = SCHEMA


def content_hash(*, title: str, text: str, canonical_url: str) -> str:
    """32 hex digits that change when what the publisher says changes."""
    joined = "\x1f".join((title, text, canonical_url))
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def is_old(article: Article, *, now: datetime, hours: float) -> bool:
    """Whether ``article`` is dated before the last ``hours``, or not dated at all."""
    if article.published is None:
        return True
    return (now - article.published).total_seconds() > hours * 3600
