"""What a search shows of an article, worked out once of one that many searches find."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from ingest.article import Article
from ingest.wire import decode
from processors.document import Document, document
from processors.records import StoryRecord
from search.stored_words import unpack

RECENT = 400
"""Articles that are kept for the next search, some 100 kB each ..."""

LONG_BYTES = 8_000
"""... but not long ones."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An article as a hit shows it.

    Attributes:
        article: Without its text.
        document: Its words, with their offsets.
    """

    article: Article
    topics: tuple[str, ...]
    story_id: str
    document: Document


def shown(record: bytes, words: bytes) -> Shown:
    """What is shown of a stored ``record``; ``words``: those stored, empty to work them out."""
    return _shown(record, words) if len(record) > LONG_BYTES else _recent(record, words)


def _shown(record: bytes, words: bytes) -> Shown:
    story = decode(StoryRecord, record)
    article = story.article
    found = unpack(words, article) if words else document(article, story.topics)
    topics = tuple(tag.topic for tag in story.topics if tag.band == "tag")
    return Shown(replace(article, text=""), topics, story.story_id, found)


_recent = lru_cache(maxsize=RECENT)(_shown)
