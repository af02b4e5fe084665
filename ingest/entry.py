"""What a feed document says, before anything is cleaned: the parser's answer, as plain values.

Everything here crosses the border of the reader's sandbox, so it holds only text, numbers and
tuples. Links are not resolved, HTML is not sanitised, dates are not read: ``ingest.normalise``
does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FeedFormat = Literal["rss", "rdf", "atom", "cdf", "json"]
"""The family of a feed document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One item of a feed, as the feed wrote it.

    Attributes:
        guid: Without surrounding white space, never resolved against a base.
        guid_is_permalink: The guid may stand for the link: RSS, not ``isPermaLink="false"``, a URL.
        link: As written, not resolved; the guid only where it is a permalink and no link is given.
        base: The base URL in force for this entry (the chain of ``xml:base``), or empty.
        title: As written, entities of the XML level resolved.
        title_is_html: Whether ``title`` is to be read as HTML.
        body: The fullest text of the entry.
        body_is_html: Whether ``body`` is to be read as HTML.
        summary: The short text, where the feed gives one beside ``body``.
        summary_is_html: Whether ``summary`` is to be read as HTML.
        authors: Names, or addresses where there is no name; at most 300 characters each.
        tags: Categories, each once, at most 50.
        published: The date of publication as the feed wrote it.
        updated: The date of the last change as the feed wrote it.
        date_source: The element that gave ``published``; empty where there is none.
        language: ``xml:lang`` or ``dc:language`` of the entry itself.
        partial: The body was cut and this is its unfinished last item: do not store as complete.
    """

    guid: str = ""
    guid_is_permalink: bool = False
    link: str = ""
    base: str = ""
    title: str = ""
    title_is_html: bool = False
    body: str = ""
    body_is_html: bool = True
    summary: str = ""
    summary_is_html: bool = True
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: str = ""
    updated: str = ""
    date_source: str = ""
    language: str = ""
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document that could be read.

    Attributes:
        title: Of the feed itself.
        home_url: The page the feed belongs to, as written.
        self_url: Where the feed says it lives (``rel="self"``), as written.
        language: What the feed declares.
        ttl_minutes: RSS ``ttl``.
        update_period_seconds: From ``sy:updatePeriod`` and ``sy:updateFrequency``.
        format: The family of the document.
        encoding: The charset the body was read in.
        encoding_source: What decided it: ``bom``, ``declaration``, ``content``, ``header``, or
            ``guess``.
        entries: In document order.
        notes: What was repaired, cut or guessed, one phrase each.
    """

    title: str = ""
    home_url: str = ""
    self_url: str = ""
    language: str = ""
    ttl_minutes: int | None = None
    update_period_seconds: int | None = None
    format: FeedFormat = "rss"
    encoding: str = "utf-8"
    encoding_source: str = ""
    entries: tuple[RawEntry, ...] = ()
    notes: tuple[str, ...] = ()
