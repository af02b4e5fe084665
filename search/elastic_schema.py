"""The fields of an article in Elasticsearch, and how an article fills them. Pure.

People read ``title`` and ``text`` in Kibana; our own searches ask the words that the matcher
sees: ``title_words``, ``lead_words`` and ``body_words`` (split at blanks; the analysis cuts words
at the 255 UTF-16 units behind which the engine would split them), ``*_cased`` with their case,
``*_bounds`` with ``s``, ``-`` and ``e`` in the places of the words that start a sentence, go on
and end it (``o``: its only one), and ``facts``. ``words`` (``search.stored_words``) and
``record`` are given back as stored fields only, so that a list in Kibana does not carry them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ingest.article import Article
from ingest.wire import decode, encode, format_time
from processors.analysis import Analysed
from processors.document import Document, document
from processors.query_tree import FieldName
from processors.records import StoryRecord
from search.keywords import keywords
from search.stored_words import pack

VERSION: Final = 1
"""Raise it with any change of the fields or of the analysis: reindex then builds anew."""

MAX_ID_BYTES: Final = 512
MAX_VERSION: Final = (1 << 63) - 1

_MAX_LABEL = 8_191  # characters; four bytes each end below the engine's 32,766 bytes a term
_UNSEEN = "the article was never given the time it was seen"

_LABEL = {"type": "keyword", "ignore_above": _MAX_LABEL}
_KEYWORD = {"type": "keyword"}
_DATE = {"type": "date"}
_TEXT = {"type": "text", "analyzer": "standard"}
_WORDS = {"type": "text", "analyzer": "whitespace"}
_CASED = {"type": "text", "analyzer": "whitespace", "norms": False}
_STORED = {"type": "binary", "store": True}

_UNSHOWN = {
    **dict.fromkeys(("title_words", "lead_words", "body_words"), _WORDS),
    **dict.fromkeys(("title_cased", "lead_cased", "body_cased"), _CASED),
    **dict.fromkeys(("title_bounds", "lead_bounds", "body_bounds"), _CASED),
    **dict.fromkeys(("words", "record"), _STORED),
    "facts": _KEYWORD,
}

ARTICLES: Final[Mapping[str, Any]] = {
    "dynamic": "strict",
    "_meta": {"version": VERSION},
    "_source": {"excludes": sorted(_UNSHOWN)},
    "properties": {
        **dict.fromkeys(("id", "story_id", "copy_of", "cause", "language", "topics"), _KEYWORD),
        **dict.fromkeys(("source", "site", "feed_id", "feeds", "keywords"), _KEYWORD),
        **dict.fromkeys(("url", "canonical_url", "published_claimed"), _LABEL),
        **dict.fromkeys(("groups", "authors", "tags"), _LABEL),
        **dict.fromkeys(("seen", "published", "updated"), _DATE),
        **dict.fromkeys(("title", "text"), _TEXT),
        "order": {"type": "long"},
        "revision": {"type": "integer"},
        **_UNSHOWN,
    },
}
"""The mapping of ``wirewatch-articles-*``."""


def fact(name: FieldName, value: str) -> str:
    """The term of ``facts`` by which a clause finds a value of ``processors.document.Metadata``."""
    return f"{name}={value}"


def article_body(record: StoryRecord) -> dict[str, Any]:
    """``record`` as the engine takes it.

    Raises:
        ValueError, TypeError: it holds what no field can take.
    """
    article = record.article
    _refuse_bad_key(article, record.order)
    found = document(article, record.topics)
    fields: dict[str, Any] = {
        "id": article.id,
        "order": record.order,
        "revision": article.revision,
        "cause": record.cause,
        "story_id": record.story_id,
        "copy_of": record.copy_of,
        "title": article.title,
        "text": article.text,
        "url": article.url,
        "canonical_url": article.canonical_url,
        "published_claimed": article.published_claimed,
        "topics": [tag.topic for tag in record.topics if tag.band == "tag"],
        "keywords": list(keywords(found.title, found.body)),
        **_metadata(article, found),
        **_times(article),
        **_words(found),
        "words": b64encode(pack(found)).decode(),
        "record": b64encode(encode(record)).decode(),
    }
    return {name: value for name, value in fields.items() if value not in ("", [])}


def record_of(stored: str) -> StoryRecord:
    """The record in the stored field ``record``, as Elasticsearch gives it back."""
    return decode(StoryRecord, b64decode(stored))


def month_of(record: StoryRecord) -> datetime:
    """The time that decides which index the record is in."""
    if record.article.seen is None:
        raise ValueError(_UNSEEN)
    return record.article.seen


def refusal_of_key(key: str, version: int) -> str:
    """Why the engine would refuse a whole request for this id or version; mostly empty."""
    length = len(key.encode("utf-8", "surrogatepass"))
    if not 0 < length <= MAX_ID_BYTES or "\0" in key:
        return f"an id has 1 to {MAX_ID_BYTES} bytes, none of them 0; this one has {length}"
    if not 0 <= version <= MAX_VERSION:
        return f"{version} is no version"
    return ""


def _refuse_bad_key(article: Article, order: int) -> None:
    reason = refusal_of_key(article.id, order) or ("" if article.seen else _UNSEEN)
    if reason:
        raise ValueError(reason)


def _metadata(article: Article, found: Document) -> dict[str, Any]:
    values = found.metadata
    return {
        "source": values.source,
        "site": [value for name, value in values.values() if name == "source" and value],
        "language": values.language,
        "feed_id": article.feed_id,
        "feeds": list(values.feeds),
        "groups": list(article.groups),
        "authors": list(article.authors),
        "tags": list(article.tags),
        "facts": sorted(fact(name, value) for name, value in found.values if value),
    }


def _times(article: Article) -> dict[str, str]:
    moments = {"seen": article.seen, "published": article.published, "updated": article.updated}
    return {name: format_time(moment) for name, moment in moments.items() if moment is not None}


def _words(found: Document) -> dict[str, str]:
    fields = {}
    texts: dict[str, Analysed] = {"title": found.title, "lead": found.lead, "body": found.body}
    for name, text in texts.items():
        fields[f"{name}_words"] = text.joined
        fields[f"{name}_cased"] = " ".join(text.cased)
        fields[f"{name}_bounds"] = " ".join(map(_bounds, text.sentence_lengths))
    return fields


def _bounds(length: int) -> str:
    return " ".join(["s", *["-"] * (length - 2), "e"]) if length > 1 else "o"
