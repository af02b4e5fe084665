"""The fields of the embedded index, and how an article fills them.

Texts go in as the joined words of ``processors.analysis``, split at blanks, so that the engine
sees the very words that the matcher sees.
"""

from __future__ import annotations

from typing import Any

import tantivy

from ingest.wire import encode
from processors.analysis import Analysed
from processors.document import Document, document
from processors.records import StoryRecord
from search.milliseconds import milliseconds
from search.stored_words import pack

VERSION = 1
"""Raise it with any change of the fields or of the analysis: older indexes are built anew."""

ARTICLE = "article"
"""The ``kind`` of every document but the checkpoint."""

CHECKPOINT_ID = "\0checkpoint"

WORDS = "words"
_SPLIT = "blanks"
_ID_BITS = 21
_LAST_MS = (1 << 42) - 1  # the year 2109: time and id share 63 bits


def build_schema() -> tantivy.Schema:
    """The schema of version ``VERSION``."""
    builder = tantivy.SchemaBuilder()
    for name in ("id", "story"):
        builder.add_text_field(
            name, stored=True, fast=name == "story", tokenizer_name="raw", index_option="basic"
        )
    for name in ("title", "lead", "body"):
        builder.add_text_field(name, tokenizer_name=_SPLIT, index_option="position")
        # Places of words with their case are verified, hence no positions here.
        builder.add_text_field(f"{name}_cased", tokenizer_name=_SPLIT, index_option="basic")
    for name in ("kind", "source", "feed", "group", "author", "tag"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("lang", "topic", "site"):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("place", "seen", "published", "order"):
        builder.add_integer_field(name, fast=True)
    for name in (WORDS, "record"):
        builder.add_bytes_field(name, stored=True)
    return builder.build()


SCHEMA = build_schema()


def open_index(folder: str) -> tantivy.Index:
    """The index in ``folder``, made where there is none; reads what ``reload`` showed last."""
    index = tantivy.Index(SCHEMA, path=folder)
    blanks = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_SPLIT, blanks)
    index.config_reader("manual")
    return index


def place(ms: int, article_id: str) -> int:
    """A number that sorts by time, then nearly by id; what is equal is told apart by its id."""
    first = article_id.encode("utf-8", "surrogatepass")[:3].ljust(3, b"\0")
    key = 0
    for byte in first:
        key = key << 7 | min(byte, 127)
    return max(0, min(ms, _LAST_MS)) << _ID_BITS | key


def time_of(found: int) -> int:
    """The milliseconds in a ``place``."""
    return found >> _ID_BITS


def prepared(record: StoryRecord) -> tantivy.Document:
    """``record`` as the engine takes it.

    Raises:
        ValueError, OverflowError, TypeError: it holds what no field can take.
    """
    article = record.article
    if not article.id or "\0" in article.id:
        raise ValueError("the article has no id")
    if record.order < 0:
        raise ValueError("the record has no version")
    found = document(article, record.topics)
    fields: dict[str, Any] = {
        "id": article.id,
        "kind": ARTICLE,
        "story": record.story_id,
        "place": place(milliseconds(article.seen) if article.seen else 0, article.id),
        "order": record.order,
        **_texts(found),
        **_values(found),
        WORDS: pack(found),
        "record": encode(record),
    }
    if article.seen is not None:
        fields["seen"] = milliseconds(article.seen)
    if article.published is not None:
        fields["published"] = milliseconds(article.published)
    return tantivy.Document.from_dict(fields, SCHEMA)


def _texts(found: Document) -> dict[str, str]:
    fields = {}
    texts: dict[str, Analysed] = {"title": found.title, "lead": found.lead, "body": found.body}
    for name, text in texts.items():
        fields[name] = text.joined
        fields[f"{name}_cased"] = " ".join(text.cased)
    return fields


def _values(found: Document) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {"site": [found.metadata.source]}
    for name, value in found.metadata.values():
        if value:
            fields.setdefault(name, []).append(value)
    return fields
