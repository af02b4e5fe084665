"""What feedparser gathered about an entry, as a ``RawEntry``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ingest.elements import MAX_AUTHOR, MAX_TAGS, Facts, FaithfulHandlers
from ingest.entry import RawEntry

_HTML: Final = frozenset(("text/html", "application/xhtml+xml", "html", "xhtml"))
_TEXT: Final = ("text/", "application/xhtml+xml", "html", "xhtml", "plain", "text")
_BINARY: Final = ("image/", "audio/", "video/", "font/")
_FULLER: Final = 2
"""A summary so many times longer is the text; the content is then a caption or a stub."""
_URL: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
# Elements that say when an entry was published, most telling first. ``dc:date`` and ``date`` say
# only "date"; they stand last but one before the date of creation.
_PUBLISHED: Final = (
    "pubDate",
    "published",
    "issued",
    "dcterms:issued",
    "dc:date",
    "prism:publicationDate",
    "date",
    "created",
    "dcterms:created",
)
_UPDATED: Final = ("updated", "modified", "dcterms:modified", "lastBuildDate")


@dataclass(frozen=True, slots=True)
class _Text:
    value: str = ""
    is_html: bool = True

    def length(self) -> int:
        """Characters without markup."""
        return len(_TAG.sub("", self.value) if self.is_html else self.value)


def raw_entries(reader: FaithfulHandlers, *, partial: bool) -> list[RawEntry]:
    """The entries that ``reader`` met, in document order; the last one ``partial`` or not."""
    last = len(reader.entries) - 1
    return [
        _raw_entry(found, facts, partial=partial and at == last)
        for at, (found, facts) in enumerate(zip(reader.entries, reader.facts, strict=True))
    ]


def _raw_entry(found: dict[str, Any], facts: Facts, *, partial: bool) -> RawEntry:
    body, summary = _texts(found, facts)
    title = _text(found, "title")
    dates = facts.dates
    if prism := _string(found, "prism_publicationdate"):
        dates = {**dates, "prism:publicationDate": prism}
    source = next((name for name in _PUBLISHED if dates.get(name)), "")
    guid = _string(found, "id")
    is_permalink = guid in facts.permalinks and bool(_URL.match(guid))
    return RawEntry(
        guid=guid,
        guid_is_permalink=is_permalink,
        link=_link(facts) or (guid if is_permalink else ""),
        base=facts.base,
        title=title.value,
        title_is_html=title.is_html and bool(title.value),
        body=body.value,
        body_is_html=body.is_html,
        summary=summary.value,
        summary_is_html=summary.is_html,
        authors=_authors(found),
        tags=_tags(found),
        published=dates.get(source, ""),
        updated=next((dates[name] for name in _UPDATED if dates.get(name)), ""),
        date_source=source,
        language=_language(found, facts),
        partial=partial,
    )


def _link(facts: Facts) -> str:
    pages = [
        (href, not kind or kind in _HTML) for rel, kind, href in facts.links if rel == "alternate"
    ]
    chosen = (
        next((href for href, is_page in pages if is_page), "")
        or facts.link
        or next((href for href, _ in pages), "")
    )
    return chosen.strip().replace("&amp;", "&")


def _text(found: dict[str, Any], key: str) -> _Text:
    value = found.get(key)
    if not isinstance(value, str):
        return _Text()
    detail = found.get(f"{key}_detail")
    kind = detail.get("type", "text/html") if isinstance(detail, dict) else "text/html"
    return _Text(value, kind in _HTML)


def _texts(found: dict[str, Any], facts: Facts) -> tuple[_Text, _Text]:
    """The fullest text of an entry, and the short one where it is another."""
    summary = _text(found, "summary")
    contents = [
        _Text(part["value"], part.get("type", "text/html") in _HTML)
        for part in found.get("content", ())
        if _is_readable(part.get("value"), part.get("type") or "")
    ]
    if not contents:
        return (
            (summary, _Text())
            if summary.value
            else (_Text(facts.media_text, is_html=False), _Text())
        )
    body = max(contents, key=_Text.length) if len(contents) > 1 else contents[0]
    if summary.value == body.value:
        return body, _Text()
    if len(summary.value) > len(body.value) and summary.length() > _FULLER * body.length():
        return summary, body
    return body, summary


def _is_readable(value: Any, kind: str) -> bool:
    """Whether ``value`` is text, not an image or what is left of undecodable base64."""
    if not isinstance(value, str) or not value or kind.startswith(_BINARY):
        return False
    return kind.startswith(_TEXT) or "<" in value or " " in value


def _authors(found: dict[str, Any]) -> tuple[str, ...]:
    names = [
        str(author.get("name") or author.get("email") or "")
        for author in found.get("authors", ())
        if isinstance(author, dict)
    ]
    if not any(names) and isinstance(found.get("author"), str):
        names = [found["author"]]
    return _distinct(name[:MAX_AUTHOR] for name in names)


def _tags(found: dict[str, Any]) -> tuple[str, ...]:
    return _distinct(
        str(tag.get("term") or tag.get("label") or "") for tag in found.get("tags", ())
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(" ".join(value.split()) for value in values)
    return tuple(value for value in kept if value)[:MAX_TAGS]


def _language(found: dict[str, Any], facts: Facts) -> str:
    return _string(found, "language") or facts.language


def _string(found: dict[str, Any], key: str) -> str:
    value = dict.get(found, key)  # feedparser's own lookup answers for other names too
    return value.strip() if isinstance(value, str) else ""
