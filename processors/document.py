"""What queries are matched against: an article's analysed title and body, and its metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ingest.article import Article
from processors.analysis import Analysed, analyse, fold
from processors.query_tree import FieldName
from processors.records import TopicTag

LEAD_SENTENCES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The values that field clauses compare, folded as each field folds them.

    Attributes:
        source: Host; ``source:`` also finds its parent domains.
        topics: ``id`` and ``id@review`` of tags in the tag band, ``id@review`` of the others.
    """

    source: str = ""
    feeds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    language: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    published: datetime | None = None
    seen: datetime | None = None

    def values(self) -> Iterator[tuple[FieldName, str]]:
        """Every (field, value) that a field clause can ask for and find."""
        labels = self.source.split(".")
        for place in range(len(labels)):
            yield "source", ".".join(labels[place:])
        yield "lang", self.language
        for feed in self.feeds:
            yield "feed", feed
        for group in self.groups:
            yield "group", group
        for author in self.authors:
            yield "author", author
        for tag in self.tags:
            yield "tag", tag
        for topic in self.topics:
            yield "topic", topic


@dataclass(frozen=True)
class Document:  # no slots: cached_property keeps what was worked out in the instance's dict
    """One article as queries see it. ``body`` includes the lead."""

    title: Analysed
    body: Analysed
    metadata: Metadata = Metadata()

    @cached_property
    def lead_end(self) -> int:
        """The word of ``body`` before which its first two sentences end."""
        return sum(self.body.sentence_lengths[:LEAD_SENTENCES])

    @cached_property
    def lead(self) -> Analysed:
        """The first two sentences of the body as a text of their own."""
        if self.lead_end == len(self.body.words):
            return self.body
        return self.body.beginning(self.lead_end)

    @cached_property
    def values(self) -> frozenset[tuple[FieldName, str]]:
        """The (field, value) pairs of the metadata."""
        return frozenset(self.metadata.values())


def document(article: Article, topics: Sequence[TopicTag] = ()) -> Document:
    """What queries see of ``article``, tagged with ``topics``."""
    metadata = Metadata(
        source=article.source.lower().removeprefix("www."),
        feeds=article.feeds or (article.feed_id,),
        groups=_folded(article.groups),
        language=(article.language or article.language_declared).lower().partition("-")[0],
        authors=_folded(article.authors),
        tags=_folded(article.tags),
        topics=_topic_values(topics),
        published=article.published,
        seen=article.seen,
    )
    return Document(analyse(article.title), analyse(article.text), metadata)


def _folded(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(fold, values)))


def _topic_values(topics: Sequence[TopicTag]) -> tuple[str, ...]:
    found = [tag.topic for tag in topics if tag.band == "tag"]
    return tuple(dict.fromkeys([*found, *(f"{tag.topic}@review" for tag in topics)]))
