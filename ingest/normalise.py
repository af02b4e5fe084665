"""An entry becomes an article: clean text, one id, a usable link, honest dates, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ingest.article import Article, content_hash
from ingest.clean import cut, cut_bytes, is_hostile, one_line
from ingest.dating import Dating, date_entry
from ingest.entry import ParsedFeed, RawEntry
from ingest.identity import EntryIdentity, article_ids, own_pages
from ingest.plain_text import PlainText, plain_lines, plain_text, plain_title
from ingest.settings import ArticleLimits
from ingest.urls import canonical_url, is_repaired, resolve_link, source_of

_NAMING_CHARS = 200  # of the text, to tell entries without title apart
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What holds for all entries of a document."""

    parsed: ParsedFeed
    base: str
    fetched: datetime
    limits: ArticleLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """An article but for its id, which needs all the others."""

    entry: RawEntry
    title: str
    text: str
    url: str
    canonical_url: str
    dates: Dating
    notes: tuple[str, ...]


def normalise(
    parsed: ParsedFeed,
    *,
    feed_id: str,
    feed_url: str,
    fetched: datetime,
    groups: tuple[str, ...] = (),
    limits: ArticleLimits | None = None,
) -> tuple[Article, ...]:
    """One article for each whole entry of ``parsed``, in document order, nothing merged.

    Unfinished entries (``partial``) are left out. ``limits.entries`` is the parser's to keep.
    Two articles with one id are two versions of one. ``seen``, ``revision`` and ``language`` are
    left to the stages that know them.
    """
    home = resolve_link(parsed.home_url, feed_url or parsed.self_url)
    document = _Document(
        parsed=parsed,
        base=_base_of(parsed, feed_url, home),
        fetched=fetched,
        limits=limits or ArticleLimits(),
    )
    drafts = [_draft(entry, document) for entry in parsed.entries if not entry.partial]
    ids = article_ids(
        [_identity_of(draft) for draft in drafts],
        feed_id=feed_id,
        own=own_pages(feed_url, parsed.self_url, home),
    )
    host = source_of(feed_url) or source_of(document.base)
    return tuple(
        _article(draft, document, article_id=found, feed_id=feed_id, host=host, groups=groups)
        for found, draft in zip(ids, drafts, strict=True)
    )


def _base_of(parsed: ParsedFeed, feed_url: str, home: str) -> str:
    """What relative links refer to: RFC 4287 says the document; RSS says nothing, feeds mean home.

    An RSS feed often lives with a feed host, its items never do.
    """
    document = feed_url or resolve_link(parsed.self_url)
    return document or home if parsed.format == "atom" else home or document


def _draft(entry: RawEntry, document: _Document) -> _Draft:
    limits = document.limits
    title = plain_title(entry.title, is_html=entry.title_is_html)
    found = _longest(entry, limits.html_depth)
    text = _fit(found.text, limits.text_bytes)
    url, link_note = _link_of(entry, document)
    dates = date_entry(entry, language=document.parsed.language, fetched=document.fetched)
    notes = (
        "title cut" if len(title) > limits.title_chars else "",
        "text cut" if text != found.text else "",
        "guid cut" if len(entry.guid) > limits.guid_chars else "",
        "simplified" if found.simplified else "",
        "control characters removed" if is_hostile(entry.title + entry.body) else "",
        link_note,
        dates.note,
    )
    return _Draft(
        entry=entry,
        title=cut(title, limits.title_chars),
        text=text,
        url=url,
        canonical_url=canonical_url(url),
        dates=dates,
        notes=tuple(filter(None, notes)),
    )


def _longest(entry: RawEntry, max_depth: int) -> PlainText:
    """The text of the body or of the summary, whichever says more."""
    body, summary = (
        plain_text(source, max_depth=max_depth) if is_html else PlainText(plain_lines(source))
        for source, is_html in (
            (entry.body, entry.body_is_html),
            (entry.summary, entry.summary_is_html),
        )
    )
    return summary if len(summary.text) > len(body.text) else body


def _fit(text: str, max_bytes: int) -> str:
    """``text`` within ``max_bytes``, and its JSON form within 5/4 of that.

    JSON writes two bytes for a quote, a backslash or a line end: a text of nothing else would
    burst the record limit of the log.
    """
    text = cut_bytes(text, max_bytes)
    doubled = sum(map(text.count, '"\\\n'))
    if doubled > max_bytes // 4 and len(text.encode()) + doubled > max_bytes * 5 // 4:
        return cut_bytes(text, max_bytes * 5 // 8)
    return text


def _link_of(entry: RawEntry, document: _Document) -> tuple[str, str]:
    """The link to show, or none, and what to note about it."""
    link = entry.link.strip()
    if not link and entry.guid_is_permalink and source_of(entry.guid):
        link = entry.guid
    if not link:
        return "", "no link"
    if len(link) > document.limits.url_chars:
        return "", "link too long"
    # A bare guid that a lenient reader took for a link: "42" is no page of the publisher's.
    if link == entry.guid and not source_of(link) and "/" not in link:
        return "", "link hidden"
    base = resolve_link(entry.base, document.base) or document.base
    url = resolve_link(link, base)
    if not url:
        return "", "link hidden"
    if len(url) > document.limits.url_chars:
        return "", "link too long"
    return url, "link repaired" if is_repaired(link) else ""


def _identity_of(draft: _Draft) -> EntryIdentity:
    return EntryIdentity(
        canonical_url=draft.canonical_url,
        guid=one_line(draft.entry.guid),
        title=draft.title or draft.text[:_NAMING_CHARS],
        day=draft.dates.day,
    )


def _article(
    draft: _Draft,
    document: _Document,
    *,
    article_id: str,
    feed_id: str,
    host: str,
    groups: tuple[str, ...],
) -> Article:
    entry, limits, parsed = draft.entry, document.limits, document.parsed
    return Article(
        id=article_id,
        feed_id=feed_id,
        feeds=(feed_id,),
        source=source_of(draft.url) or host,
        url=draft.url,
        canonical_url=draft.canonical_url,
        guid=cut(one_line(entry.guid), limits.guid_chars),
        title=draft.title,
        text=draft.text,
        authors=_names(entry.authors, limits.author_chars, most=limits.tags),
        tags=_names(entry.tags, limits.tag_chars, most=limits.tags),
        language_declared=_primary(entry.language) or _primary(parsed.language),
        published=draft.dates.published,
        published_claimed=draft.dates.claimed,
        date_source=draft.dates.source,
        updated=draft.dates.updated,
        groups=groups,
        notes=tuple(dict.fromkeys((*draft.notes, *parsed.notes))),
        content_hash=content_hash(
            title=draft.title, text=draft.text, canonical_url=draft.canonical_url
        ),
    )


def _names(names: Iterable[str], max_chars: int, *, most: int) -> tuple[str, ...]:
    """Names as text, each once whatever its case, at most ``most``."""
    kept: dict[str, str] = {}
    for name in names:
        if len(kept) == most:
            break
        if text := cut(plain_title(name), max_chars):
            kept.setdefault(text.casefold(), text)
    return tuple(kept.values())


def _primary(language: str) -> str:
    """The primary subtag of a BCP 47 tag, however written: "IT-it", "en_GB"; else empty."""
    found = _LANGUAGE.match(language)
    return found[1].lower() if found else ""
