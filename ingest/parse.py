"""Bytes to entries. Runs inside the sandbox, for what is read here was written by strangers.

A document is read by expat where it is well formed; else mended and tried again; else by a
tolerant parser. What counts is what came out: a root element that feeds have, entries, and an
end. Whether XML's rules were kept is only a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final
from xml.sax import SAXException, SAXParseException
from xml.sax.expatreader import ExpatParser
from xml.sax.handler import feature_external_ges

from feedparser.exceptions import UndeclaredNamespace

from ingest.charset import Decoded, decode, unpack
from ingest.discovery import page_refusal
from ingest.elements import FaithfulHandlers, LooseReader, StrictReader
from ingest.entry import FeedFormat, ParsedFeed
from ingest.errors import UnreadableError
from ingest.json_feed import parse_json_feed
from ingest.markup import Prolog, bind_prefixes, is_finished, mend, read_prolog
from ingest.newest import keep_newest
from ingest.raw_entries import raw_entries

MAX_ENTRIES: Final = 2000
"""Entries kept of one document (FAULTS)."""
MAX_BYTES: Final = 15_000_000
"""Bytes of an unpacked body (FAULTS)."""

_FORMATS: Final[dict[str, FeedFormat]] = {
    "rss": "rss",
    "channel": "rss",
    "item": "rss",
    "rdf": "rdf",
    "feed": "atom",
    "entry": "atom",
}
_OTHER_DOCUMENTS: Final = {
    "opml": "a list of feeds (OPML)",
    "urlset": "a sitemap",
    "sitemapindex": "a sitemap",
    "service": "an AtomPub service document",
    "svg": "an image",
    "error": "an error message",
}
_PAGE: Final = re.compile(r"<(?:!doctype\s+html|html|body)\b", re.IGNORECASE)
_CUT: Final = ("no element found", "unclosed token", "unclosed CDATA section", "partial character")
"""What expat says where the document ends too early."""
_AFTERWARDS: Final = "junk after document element"
_PERIODS: Final = {
    "hourly": 3_600,
    "daily": 86_400,
    "weekly": 604_800,
    "monthly": 2_592_000,
    "yearly": 31_536_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    reader: FaithfulHandlers
    fault: str = ""
    is_cut: bool = False
    notes: tuple[str, ...] = ()


def parse_feed(
    body: bytes, *, content_type: str = "", url: str = "", max_entries: int = MAX_ENTRIES
) -> ParsedFeed:
    """The feed that ``body`` holds.

    Args:
        body: As fetched; one undeclared layer of gzip or zlib is taken off.
        content_type: The HTTP header; its charset counts only where the bytes do not tell.
        url: Where ``body`` came from, for ``xml:base`` and for feeds that a web page names.
        max_entries: The newest so many are kept.

    Raises:
        UnreadableError: no feed, or one that may not be read; ``code`` says which.
    """
    body = unpack(body, max_bytes=MAX_BYTES)
    decoded = decode(body, content_type=content_type)
    text = decoded.text
    opening = text[:1000].lstrip("\ufeff \t\r\n\0")[:1]
    if not opening:
        raise _refusal("The body is empty.", code="empty", retry=True)
    if opening in "{[":
        return _finish(parse_json_feed(text), decoded, max_entries)
    prolog = read_prolog(text)
    if prolog.declares:
        raise _refusal(
            "Refused: document declares entities.",
            hint="Feeds need none, and they can be bombs; ask the publisher to leave them out.",
            code="declares-entities",
        )
    is_other = prolog.root in _FORMATS or prolog.root in _OTHER_DOCUMENTS
    if not is_other and _PAGE.search(text, 0, prolog.start + 2000):
        raise page_refusal(text, url=url)
    feed = _parse_xml(text[prolog.start :], prolog, url=url, max_entries=max_entries)
    return _finish(feed, decoded, max_entries)


def _parse_xml(document: str, prolog: Prolog, *, url: str, max_entries: int) -> ParsedFeed:
    document, dropped = keep_newest(document, max_entries=max_entries)
    read = _read(document, prolog.root, url)
    reader = read.reader
    if not reader.entries:
        _refuse_without_entries(read, prolog)
    notes = read.notes
    if prolog.junk:
        notes = ("text before the document left out", *notes)
    if dropped:
        notes = (*notes, f"{dropped} older entries left out")
    feed: dict[str, Any] = reader.feeddata
    facts = reader.feed_facts
    return ParsedFeed(
        title=_string(feed.get("title")),
        home_url=facts.link or next((h for r, _, h in facts.links if r == "alternate"), ""),
        self_url=next((href for rel, _, href in facts.links if rel == "self"), ""),
        language=_string(feed.get("language")),
        ttl_minutes=_number(feed.get("ttl")),
        update_period_seconds=_period(feed),
        format=_FORMATS.get(prolog.root, "atom" if reader.version.startswith("atom") else "rss"),
        entries=tuple(raw_entries(reader, partial=read.is_cut and bool(reader.inentry))),
        notes=notes,
    )


def _read(document: str, root: str, url: str) -> _Read:
    """``document`` by the strictest parser that reads it to its end."""
    finished = is_finished(document, root)
    read = _strictly(document, url)
    notes: tuple[str, ...] = ()
    for repair, note in ((bind_prefixes, "undeclared prefixes bound"), (mend, "XML faults mended")):
        if not read.fault or (read.is_cut and not finished):
            break
        repaired = repair(document)
        if repaired != document:
            document, notes = repaired, (*notes, note)
            read = _strictly(document, url)
    if not read.fault:
        return replace(read, notes=notes)
    if read.fault.startswith(_AFTERWARDS) and read.reader.entries:
        return replace(read, notes=(*notes, "text after the document left out"))
    if read.is_cut and not finished:
        return replace(read, notes=(*notes, "the document breaks off"))
    loose = _loosely(document, url)
    notes = (*notes, f"not well-formed XML: {read.fault}", *loose.notes)
    if finished:
        return replace(loose, notes=notes)
    return replace(loose, is_cut=True, notes=(*notes, "the document breaks off"))


def _strictly(document: str, url: str) -> _Read:
    reader = StrictReader("", None, "utf-8")
    reader.begin(url)
    parser = ExpatParser(namespaceHandling=1)
    parser.setFeature(feature_external_ges, 0)
    parser.setContentHandler(reader)
    parser.setErrorHandler(reader)
    try:
        # In one piece: expat before 2.6 reads a long token anew with every piece (CVE-2023-52425).
        parser.feed(document.encode("utf-8", "surrogatepass"))
        parser.close()
    except SAXParseException as error:
        reader.finish()
        message = error.getMessage()
        fault = f"{message}, line {error.getLineNumber()}"
        return _Read(reader=reader, fault=fault, is_cut=message.startswith(_CUT))
    except (UndeclaredNamespace, SAXException, LookupError, TypeError, ValueError) as error:
        return _Read(reader=reader, fault=str(error))
    return _Read(reader=reader)


def _loosely(document: str, url: str) -> _Read:
    reader = LooseReader("", None, "utf-8", {})
    reader.begin(url)
    notes: tuple[str, ...] = ()
    try:
        reader.feed(document)
    except Exception as error:  # noqa: BLE001 - SGML parsing asserts and raises what it likes
        notes = (f"the reader stopped: {type(error).__name__}",)
    return _Read(reader=reader, notes=notes)


def _refuse_without_entries(read: _Read, prolog: Prolog) -> None:
    """Nothing where an empty feed is a feed; a refusal where the document is none."""
    if read.is_cut and prolog.root in _FORMATS:
        raise _refusal(
            "The document breaks off before its first entry.", code="truncated", retry=True
        )
    if prolog.root in ("rss", "rdf", "feed", "channel"):
        return
    other = _OTHER_DOCUMENTS.get(prolog.root)
    if other is None and prolog.root:
        other = f"an XML document <{prolog.root[:40]}>"
    raise _refusal(
        f"This is {other or 'text'}, not a feed.",
        hint="Check the address."
        if prolog.root != "opml"
        else "Add the feeds in it: wirewatch feeds add FILE",
        code="not-a-feed",
    )


def _refusal(sentence: str, *, code: str, hint: str = "", retry: bool = False) -> UnreadableError:
    return UnreadableError(
        sentence,
        sentence=sentence,
        hint=hint or "It is tried again at the next poll.",
        code=code,
        retry=retry,
    )


def _finish(feed: ParsedFeed, decoded: Decoded, max_entries: int) -> ParsedFeed:
    notes = (*decoded.notes, *feed.notes)
    left_out = len(feed.entries) - max_entries
    if left_out > 0:
        notes = (*notes, f"{left_out} entries left out")
    return replace(
        feed,
        encoding=decoded.encoding,
        encoding_source=decoded.source,
        entries=feed.entries[:max_entries],
        notes=notes,
    )


def _string(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    digits = _string(value)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else None  # noqa: PLR2004


def _period(feed: dict[str, Any]) -> int | None:
    seconds = _PERIODS.get(_string(feed.get("sy_updateperiod")).lower())
    if seconds is None:
        return None
    return seconds // max(1, _number(feed.get("sy_updatefrequency")) or 1)
