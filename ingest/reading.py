"""From a feed's bytes to its articles: what the sandboxed reader does, and how it is believed.

``answer`` runs inside the sandbox and speaks plain JSON; ``read_answer`` checks, in our own
process, every word that comes out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from ingest.article import Article
from ingest.charset import decode
from ingest.clean import cut
from ingest.discovery import NamedFeed, read_page
from ingest.entry import ParsedFeed
from ingest.errors import UnreadableError
from ingest.normalise import normalise
from ingest.plain_text import plain_title
from ingest.settings import ArticleLimits
from ingest.wire import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFacts:
    """What a document says about its feed."""

    title: str = ""
    home_url: str = ""
    ttl_minutes: int | None = None
    update_period_seconds: int | None = None
    format: str = ""
    encoding: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFeed:
    """A feed document, read: facts about the feed and its articles, in document order."""

    feed: FeedFacts
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the reader must know beside the bytes.

    Attributes:
        url: Where the bytes came from, after redirects: relative links hang on it.
        fetched: Dates are judged against it.
        wanted: The articles of a feed, or the feeds that a web page names.
    """

    url: str
    feed_id: str
    fetched: Time
    content_type: str = ""
    groups: tuple[str, ...] = ()
    limits: ArticleLimits = field(default_factory=ArticleLimits)
    wanted: Literal["articles", "feeds"] = "articles"


_readings = TypeAdapter(Reading)
_answers = TypeAdapter(ReadFeed)
_named = TypeAdapter(tuple[NamedFeed, ...])


def header(reading: Reading) -> dict[str, Any]:
    """``reading`` as the sandbox takes it."""
    return dict(_readings.dump_python(reading, mode="json"))


def answer(header: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """What ``body`` holds, as plain JSON values; for ``read_answer`` or ``read_found``.

    Raises:
        UnreadableError: it is no feed.
    """
    reading = _readings.validate_python(dict(header))
    if reading.wanted == "feeds":
        return _find_feeds(reading, body)
    return dict(_answers.dump_python(read_feed(body, reading), mode="json"))


def read_found(found: Mapping[str, Any]) -> tuple[NamedFeed, ...]:
    """The feeds that a web page names, checked.

    Raises:
        UnreadableError: no such answer.
    """
    try:
        return _named.validate_python(found.get("feeds"))
    except ValidationError as error:
        raise _crashed() from error


def read_answer(found: Mapping[str, Any]) -> ReadFeed:
    """The sandbox's answer, checked.

    Raises:
        UnreadableError: it is none; the reader was broken into or broke down.
    """
    try:
        return _answers.validate_python(dict(found))
    except (ValidationError, TypeError) as error:
        raise _crashed() from error


def read_feed(body: bytes, reading: Reading) -> ReadFeed:
    """The articles of ``body``, read here and now: for tests and inside the sandbox.

    Raises:
        UnreadableError: it is no feed.
    """
    # Imported here: feedparser is the sandbox's alone, and costs every other command 100 ms.
    from ingest.parse import parse_feed  # noqa: PLC0415

    parsed = parse_feed(
        body,
        content_type=reading.content_type,
        url=reading.url,
        max_entries=reading.limits.entries,
    )
    articles = normalise(
        parsed,
        feed_id=reading.feed_id,
        feed_url=reading.url,
        fetched=reading.fetched,
        groups=reading.groups,
        limits=reading.limits,
    )
    return ReadFeed(feed=_facts(parsed), articles=tuple(articles))


def _facts(parsed: ParsedFeed) -> FeedFacts:
    return FeedFacts(
        title=cut(plain_title(parsed.title), 300),
        home_url=parsed.home_url[:2_000],
        ttl_minutes=parsed.ttl_minutes,
        update_period_seconds=parsed.update_period_seconds,
        format=parsed.format,
        encoding=parsed.encoding,
        notes=parsed.notes,
    )


def _find_feeds(reading: Reading, body: bytes) -> dict[str, Any]:
    text = decode(body, content_type=reading.content_type).text
    return {"feeds": _named.dump_python(read_page(text, url=reading.url).feeds, mode="json")}


def _crashed() -> UnreadableError:
    return UnreadableError(
        "the reader's answer has the wrong shape",
        sentence="Reader crashed on this feed.",
        hint="Its bytes are in quarantine; it is tried again later.",
        code="crashed",
    )
