"""JSON Feed 1.0 and 1.1 (jsonfeed.org) to the same raw entries as XML gives.

The version is not insisted on: a list ``items`` of objects makes a feed. Ids that are numbers
become text, as the specification asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ingest.elements import MAX_AUTHOR, MAX_TAGS
from ingest.entry import ParsedFeed, RawEntry
from ingest.errors import UnreadableError

_ERROR_KEYS: Final = ("error", "errors", "message", "detail", "title", "reason")


def parse_json_feed(text: str) -> ParsedFeed:
    """The feed that the JSON document ``text`` holds.

    Raises:
        UnreadableError: no JSON, or JSON of another kind; has ``place`` where it breaks off.
    """
    document = _load(text)
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise _not_a_feed(document)
    items = document["items"]
    entries = tuple(_entry(item, document) for item in items if isinstance(item, dict))
    notes = []
    if len(entries) < len(items):
        notes.append(f"{len(items) - len(entries)} items that are no objects left out")
    if not _string(document, "version").startswith("https://jsonfeed.org/version/"):
        notes.append("no JSON Feed version given")
    return ParsedFeed(
        title=_string(document, "title"),
        home_url=_string(document, "home_page_url"),
        self_url=_string(document, "feed_url"),
        language=_string(document, "language"),
        format="json",
        entries=entries,
        notes=tuple(notes),
    )


def _load(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff \t\r\n\0"), strict=False)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        what = "breaks off" if cut else "cannot be read"
        raise UnreadableError(
            f"JSON: {error}",
            sentence=f"The JSON {what} at line {error.lineno}, column {error.colno}: {error.msg}.",
            hint="The publisher has to repair it; it is tried again at the next poll.",
            code="truncated" if cut else "malformed-json",
            place=f"line {error.lineno}, column {error.colno}",
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deeply; a number of 5,000 digits
        raise UnreadableError(
            f"JSON: {error}",
            sentence="The JSON is nested too deeply or holds an endless number.",
            code="malformed-json",
        ) from error


def _not_a_feed(document: Any) -> UnreadableError:
    said = ""
    if isinstance(document, dict):
        said = next((_words(document[key]) for key in _ERROR_KEYS if document.get(key)), "")
    told = f": “{said}”" if said else ""
    return UnreadableError(
        "JSON that is no feed",
        sentence=f"This is a JSON answer, not a feed{told}.",
        hint="Check the address; a JSON Feed has a list called items.",
        code="json-error" if said else "not-a-feed",
    )


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        value = next((value[key] for key in _ERROR_KEYS if value.get(key)), "")
    if isinstance(value, list):
        value = value[0] if value else ""
    return " ".join(str(value).split())[:200]


def _entry(item: Mapping[str, Any], feed: Mapping[str, Any]) -> RawEntry:
    html, plain = _string(item, "content_html"), _string(item, "content_text")
    summary = _string(item, "summary")
    body = html or plain
    link = _string(item, "url") or _string(item, "external_url")
    guid = _string(item, "id")
    is_permalink = guid.lower().startswith(("https://", "http://"))
    return RawEntry(
        guid=guid,
        guid_is_permalink=is_permalink,
        link=link or (guid if is_permalink else ""),
        title=_string(item, "title"),
        body=body or summary,
        body_is_html=bool(html),
        summary=summary if body else "",
        summary_is_html=False,
        authors=_authors(item),
        tags=_distinct(_list(item.get("tags"))),
        published=_string(item, "date_published"),
        updated=_string(item, "date_modified"),
        date_source="date_published" if _string(item, "date_published") else "",
        language=_string(item, "language") if item.get("language") != feed.get("language") else "",
    )


def _authors(item: Mapping[str, Any]) -> tuple[str, ...]:
    found = _list(item.get("authors")) or [item.get("author")]
    named = [
        _string(author, "name") or _string(author, "url") if isinstance(author, dict) else author
        for author in found
    ]
    return _distinct(name[:MAX_AUTHOR] for name in named if isinstance(name, str))


def _distinct(values: Iterable[Any]) -> tuple[str, ...]:
    kept = dict.fromkeys(" ".join(value.split()) for value in values if isinstance(value, str))
    return tuple(value for value in kept if value)[:MAX_TAGS]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
