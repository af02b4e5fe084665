"""The Index port: what both indexes (Tantivy here, Elasticsearch elsewhere) promise.

An index is a projection of the topic ``stories`` and can be made anew from it at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol, TypedDict

from ingest.article import Article
from processors.query_tree import Query
from processors.records import StoryRecord

Sort = Literal["relevance", "newest", "oldest"]
Relation = Literal["eq", "gte"]

MAX_SIZE = 200
"""Hits a page."""

EXACT_CANDIDATES = 10_000
"""Candidates that are verified for an exact total; beyond, the total is a lower bound."""


QUICK_CANDIDATES = 1_000
"""As many where somebody waits for the page and may look at a lower bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What to find and how to show it.

    Attributes:
        after: Cursor of the last page's last hit; holds (seen, id), or a place for relevance.
        group: One hit a story, its first in the order; ``total`` counts articles all the same.
        since, until: Bounds on ``seen``: from ``since`` on, before ``until``.
        facets: Of ``topic``, ``source``, ``lang``.
        interval: Of the histogram over ``seen``: ``1h``, ``1d``; empty for none.
        counted: How many candidates are verified for the total; beyond, it is a lower bound.
    """

    query: Query
    sort: Sort = "newest"
    size: int = 20
    after: str = ""
    group: bool = False
    since: datetime | None = None
    until: datetime | None = None
    facets: tuple[str, ...] = ()
    interval: str = ""
    highlights: bool = True
    counted: int = EXACT_CANDIDATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A piece of a title or text; ``spans`` count in ``text``."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlights:
    """Where the query was found."""

    title: tuple[Fragment, ...] = ()
    text: tuple[Fragment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One article found; ``article.text`` is left empty, ``copies`` counts its other tellings."""

    article: Article
    topics: tuple[str, ...]
    story_id: str
    copies: int = 0
    score: float | None = None
    highlights: Highlights = field(default_factory=Highlights)


class Count(TypedDict):
    """A facet's value and how many hits have it."""

    value: str
    count: int


class Bucket(TypedDict):
    """A histogram's bucket, named by its start (RFC 3339)."""

    at: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A page of hits and what is known of all of them."""

    hits: tuple[Hit, ...]
    total: int
    relation: Relation = "eq"
    after: str = ""
    took_ms: float = 0.0
    facets: Mapping[str, Sequence[Count]] | None = None
    histogram: Sequence[Bucket] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much a query finds, day by day in UTC; days without anything are left out.

    Attributes:
        articles, stories: By day: what was seen then, and the stories first found then.
        relation: ``gte`` where more was found than is looked at.
    """

    articles: Mapping[date, int]
    stories: Mapping[date, int]
    relation: Relation = "eq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far the index has read which log; stored with the documents, never before them.

    Attributes:
        stories: The next offset of each partition of ``stories``.
        links: The next offset of ``story-links``; every reader follows all of them.
        rebuilt: Written by a rebuild: what its group committed before tells nothing of it.
    """

    log: str
    stories: Mapping[int, int]
    links: int = 0
    rebuilt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """Documents written (or known already, or newer), and those refused with the reason."""

    written: int
    rejected: Mapping[str, str] = field(default_factory=dict)


class Building(Protocol):
    """An index in the making, filled beside the one in force."""

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``."""

    def take_over(self) -> None:
        """Be the index in force from now on; what was is deleted."""

    def discard(self) -> None:
        """Leave no trace."""


class Index(Protocol):
    """Where articles are found.

    Attributes:
        outdated: Why it begins empty although articles were indexed before (its fields
            changed); what it lacks is to be read again. Else empty.
    """

    @property
    def outdated(self) -> str:
        """See above."""

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """Write documents (id = article id, version = ``order``) and the checkpoint, durably.

        Idempotent; a record that is not newer than the stored one is skipped. The documents of
        each story in ``links`` move to the story it names, at their own version; those of the
        articles in ``removed`` go, whatever their version. Where documents are rejected the
        checkpoint is not stored: set them aside, then write it alone. Partitions that
        ``checkpoint`` does not name keep what was stored for them.

        Raises:
            UnavailableError: the checkpoint is not stored; the same call may succeed later.
            FencedError: the index in force is another one since ``checkpoint`` was asked for.
        """

    def checkpoint(self) -> Checkpoint | None:
        """How far each partition was read by what is stored, and the links by all of it."""

    def search(self, request: SearchRequest) -> SearchResult:
        """The page that ``request`` asks for. Raises QueryError above the work limits."""

    def count(self, query: Query) -> int:
        """How many articles ``query`` finds."""

    def get(self, article_id: str) -> StoryRecord | None:
        """One article as it was last written."""

    def story(self, story_id: str) -> Sequence[StoryRecord]:
        """The articles of a story, oldest first, at most 200."""

    def refresh(self) -> None:
        """Make everything written before visible."""

    def health(self) -> Mapping[str, str]:
        """Facts for ``doctor``."""

    def hits_a_day(self, query: Query) -> float:
        """Articles that ``query`` found a day, over the last 30 days that are indexed."""

    def volume(self, query: Query, *, since: datetime, until: datetime) -> Volume:
        """What ``query`` found in a span of time. Raises QueryError above the work limits."""

    def successor(self) -> Building:
        """An empty index beside this one, to be filled. Raises UnavailableError if there is one."""

    def close(self) -> None:
        """Finish merges and let go of the lock."""
