"""The records of the processing stages: tagged article, decision, story, link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingest.article import Article, Cause
from ingest.wire import SCHEMA, Time

Band = Literal["tag", "review"]
Zone = Literal["title", "lead", "body"]
Change = Literal["new", "revision", "feed", "retag", "link"]
"""Why a ``stories`` record was written; only ``new`` and ``revision`` can alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What earned a topic its points: a rule and the spans it hit.

    Attributes:
        spans: (start, end) offsets in the ORIGINAL title (zone ``title``) or text (others).
        text: The words of the first spans as written, joined by `` … ``.
    """

    rule: str
    points: float
    zone: Zone
    spans: tuple[tuple[int, int], ...]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTag:
    """One topic of one article. ``score`` is 0..1, the same meaning for short and long texts."""

    topic: str
    version: int
    score: float
    band: Band
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What grouping needs of a text, without the text.

    Attributes:
        shingles: Base64 of the MinHash of word 3-shingles (128 little-endian uint16).
        terms: The heaviest terms and their weights in hundredths, in turn, unit length together:
            ``truce 31 gaza 28``.
        length: Words in title and text.
        size: Distinct shingles, heavier ones counted by weight.
    """

    shingles: str = ""
    terms: str = ""
    length: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """The record of the ``tagged`` topic: a sighting with what its words say."""

    article: Article
    fetched: Time
    cause: Cause
    poll: int = 0
    topics: tuple[TopicTag, ...] = ()
    topic_versions: tuple[tuple[str, int], ...] = ()
    signature: Signature = Signature()
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the register decided last about an article: all it needs to decide again.

    Attributes:
        order: Offset in ``tagged`` of the record that was decided on.
        placed: Offset of the id's first record: since then it counts in its story.
        seen: Append time of the id's first ``tagged`` record.
        published: As the article claims, where that is credible, else ``seen``.
        feed_id: The feed that had it first; only its text can make a revision.
        story_began: ``placed`` of the story's first article.
        story_size, story_sources: Of the story when this article was placed in it.
    """

    article_id: str
    order: int
    revision: int
    content_hash: str
    feed_id: str
    feeds: tuple[str, ...]
    seen: Time
    story_id: str
    copy_of: str = ""
    similarity: float = 0.0
    source: str = ""
    language: str = ""
    placed: int = 0
    published: Time | None = None
    story_began: int = 0
    story_size: int = 1
    story_sources: tuple[str, ...] = ()
    signature: Signature = Signature()
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An earlier text of an article; ``text`` is empty where it was dropped for size.

    Attributes:
        seen: Append time of the record that brought it.
        fetched: Tells a record delivered twice from an edit taken back.
    """

    number: int
    title: str
    text: str
    seen: Time
    content_hash: str
    fetched: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRecord:
    """The record of the ``stories`` topic, keyed by article id: the whole article and its place.

    Attributes:
        order: Version of this record for every reader; what is not newer is skipped.
        fetched, poll: Of the sighting that brought the text in ``article``.
        revised: Append time of the record that brought the text in ``article``.
        size, sources: Of the story when this was written, this article included.
        absorbed: Ids of stories merged into ``story_id`` so far.
    """

    article: Article
    order: int
    change: Change
    cause: Cause
    fetched: Time
    poll: int = 0
    revised: Time | None = None
    topics: tuple[TopicTag, ...] = ()
    revisions: tuple[Revision, ...] = ()
    story_id: str
    copy_of: str = ""
    similarity: float = 0.0
    size: int = 1
    sources: tuple[str, ...] = ()
    absorbed: tuple[str, ...] = ()
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLink:
    """The record of ``story-links``: ``story_id`` was merged into the older ``survivor``."""

    story_id: str
    survivor: str
    order: int
    schema: int = SCHEMA
