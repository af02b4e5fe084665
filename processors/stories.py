"""Signatures, copies, stories: which article says what another said, and what belongs together.

A copy holds nearly all the shingles of an earlier article, or is held by it. A story is the
centroid of its articles' terms (single pass, as in topic detection and tracking): an article joins
the nearest one within a window of hours, else it begins its own. Weights are whole numbers, so a
window is an exact function of the articles in it and can be rebuilt after a restart, bit by bit.
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from processors.centroids import Centroids, Story, Terms
from processors.records import Signature
from processors.signatures import PERMUTATIONS, Sketch, read_sketch, read_terms, signature

__all__ = ["Placed", "Placement", "Window", "signature"]

MIN_WORDS = 6
"""Shorter texts ("Morning briefing") are alike by chance; each stays alone."""

SAME_STORY = 0.22
"""Least cosine with a centroid: best B-cubed F on the labelled stories lies at .20 to .24."""

SAME_STORIES = 0.5
"""Least cosine of two centroids, both near the new article, for their stories to merge."""

COPY_CONTAINMENT = 0.82
"""Of the smaller text's weighted shingles in the larger. Copies lie above .9, reports made from
one template, with other numbers, below .8."""

COPY_JACCARD = 0.15
"""Below this the sketch cannot tell containment: its error is .03."""

SOURCES_KEPT = 30
"""Of a story, in records: enough to show, and a decision stays below 2 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an article stands.

    Attributes:
        story_id: Id of the story's first article.
        copy_of: The first article with this text, or empty.
        similarity: Containment (0..1) in the copied article; 0 without a copy.
        merged: Stories that this article joined to ``story_id``, which is the oldest of them.
        story_began: The ``order`` of the story's first article.
        story_size, story_sources: Of the story, this article included.
    """

    story_id: str
    copy_of: str = ""
    similarity: float = 0.0
    merged: tuple[str, ...] = ()
    story_began: int = 0
    story_size: int = 1
    story_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An article that was placed before, to rebuild a window from."""

    article_id: str
    order: int
    seen: datetime
    published: datetime | None = None
    language: str
    signature: Signature
    placement: Placement


@dataclass(slots=True)
class _Row:
    """An article in the window."""

    article_id: str
    root: str
    order: int
    seen: datetime
    published: datetime
    language: str
    heaviest: str
    story: Story

    def terms(self) -> Terms:
        """Read anew each time: the text takes a fifth of the memory, and rows are seldom asked."""
        return _weighted(self.heaviest, self.language)


class Window:
    """The articles of the last hours by their own times, in their stories.

    Not thread-safe. Time a call: about O(terms x stories that share a term).
    """

    def __init__(self, hours: float = 72) -> None:
        self._span = timedelta(hours=hours)
        self._newest: datetime | None = None
        self._rows: dict[int, _Row] = {}
        self._order: deque[int] = deque()
        self._free: list[int] = []
        self._sketches = np.zeros((1024, PERMUTATIONS), dtype=np.uint16)
        self._sizes = np.zeros(1024, dtype=np.int64)
        self._centroids = Centroids()
        self._stories: dict[str, Story] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def place(
        self,
        article_id: str,
        found: Signature,
        *,
        seen: datetime,
        published: datetime | None = None,
        order: int = 0,
        source: str = "",
        language: str = "",
    ) -> Placement:
        """The place of a new article, which counts from now on.

        Call it once an article, in the order in which they were seen. ``order`` tells which of
        two stories is the older. The first poll of a feed sees years of articles in one moment:
        so an article joins a story only where ``published`` (else ``seen``) is within the window's
        hours of one of its articles, too.
        """
        self.advance(seen)
        sketch, terms = read_sketch(found), _weighted(found.terms, language)
        near = self._centroids.nearest(terms) if found.length >= MIN_WORDS else []
        copied, similarity = self._copied(sketch, found.size, [story for _, story in near])
        published = published or seen
        story, merged = self._choose(near, copied, published)
        if story is None:
            story = self._stories.setdefault(article_id, Story(article_id, order))
        copy_of = copied.root if copied and copied.root != article_id else ""
        story.size += 1
        if source not in story.sources and len(story.sources) < SOURCES_KEPT:
            story.sources = (*story.sources, source)
        root = copy_of or article_id
        row = _Row(article_id, root, order, seen, published, language, found.terms, story)
        self._add(row, sketch, found.size)
        return Placement(
            story_id=story.id,
            copy_of=copy_of,
            similarity=similarity if copy_of else 0.0,
            merged=merged,
            story_began=story.began,
            story_size=story.size,
            story_sources=story.sources,
        )

    def advance(self, seen: datetime) -> None:
        """Let go of what is older than the window, counted from the newest time so far."""
        self._newest = max(self._newest or seen, seen)
        oldest = self._newest - self._span
        while self._order and self._rows[self._order[0]].seen <= oldest:
            self._drop(self._order.popleft())

    def extent(self, story_id: str) -> tuple[int, tuple[str, ...]] | None:
        """Size and sources of a story with articles in the window, else None."""
        story = self._stories.get(story_id)
        return (story.size, story.sources) if story else None

    def restore(self, placed: Placed) -> None:
        """Count an article as it was placed before; call it in the order of placing."""
        at = placed.placement
        self.advance(placed.seen)
        story = self._stories.setdefault(at.story_id, Story(at.story_id, at.story_began))
        story.began = min(story.began, at.story_began)
        story.size, story.sources = at.story_size, at.story_sources
        row = _Row(
            article_id=placed.article_id,
            root=at.copy_of or placed.article_id,
            order=placed.order,
            seen=placed.seen,
            published=placed.published or placed.seen,
            language=placed.language,
            heaviest=placed.signature.terms,
            story=story,
        )
        self._add(row, read_sketch(placed.signature), placed.signature.size)

    def _copied(self, sketch: Sketch, size: int, stories: list[Story]) -> tuple[_Row | None, float]:
        slots = [slot for story in stories for slot in story.rows]
        if not slots or not size:
            return None, 0.0
        jaccard = (self._sketches[slots] == sketch).mean(axis=1)
        sizes = self._sizes[slots]
        shared = jaccard * (size + sizes) / (1 + jaccard)
        containment = np.minimum(shared / np.maximum(1, np.minimum(size, sizes)), 1.0)
        enough = (containment >= COPY_CONTAINMENT) & (jaccard >= COPY_JACCARD)
        if not enough.any():
            return None, 0.0
        best = max(
            (int(at) for at in np.flatnonzero(enough)),
            key=lambda at: (jaccard[at], -self._rows[slots[at]].order),
        )
        return self._rows[slots[best]], round(float(containment[best]), 3)

    def _choose(
        self, near: list[tuple[float, Story]], copied: _Row | None, published: datetime
    ) -> tuple[Story | None, tuple[str, ...]]:
        """The story to join, if any, and those that end in it."""
        close = [
            story
            for cosine, story in near
            if cosine >= SAME_STORY and self._is_of_the_time(story, published)
        ]
        if copied:
            close = [copied.story, *(story for story in close if story is not copied.story)]
        if len(close) < 2:  # noqa: PLR2004 - a merge takes two
            return (close[0] if close else None), ()
        nearest = close[0]
        alike = [
            nearest,
            *(s for s in close[1:] if self._centroids.cosine(nearest, s) >= SAME_STORIES),
        ]
        oldest = min(alike, key=lambda story: (story.began, story.id))
        merged = [story for story in alike if story is not oldest]
        for story in merged:
            self._merge(story, oldest)
        return oldest, tuple(story.id for story in merged)

    def _is_of_the_time(self, story: Story, published: datetime) -> bool:
        rows = (self._rows[slot] for slot in story.rows)
        return any(abs(row.published - published) <= self._span for row in rows)

    def _merge(self, story: Story, survivor: Story) -> None:
        for slot in list(story.rows):
            row = self._rows[slot]
            terms = row.terms()
            self._centroids.remove(story, terms)
            del story.rows[slot]
            row.story = survivor
            survivor.rows[slot] = None
            self._centroids.add(survivor, terms)
        survivor.size += story.size
        added = (source for source in story.sources if source not in survivor.sources)
        survivor.sources = (*survivor.sources, *added)[:SOURCES_KEPT]
        del self._stories[story.id]

    def _add(self, row: _Row, sketch: Sketch, size: int) -> None:
        slot = self._free.pop() if self._free else len(self._rows)
        if slot == len(self._sketches):
            self._sketches = np.concatenate([self._sketches, np.zeros_like(self._sketches)])
            self._sizes = np.concatenate([self._sizes, np.zeros_like(self._sizes)])
        self._sketches[slot], self._sizes[slot] = sketch, size
        self._rows[slot] = row
        row.story.rows[slot] = None
        self._order.append(slot)
        self._centroids.add(row.story, row.terms())

    def _drop(self, slot: int) -> None:
        row = self._rows.pop(slot)
        self._centroids.remove(row.story, row.terms())
        del row.story.rows[slot]
        if not row.story.rows:
            del self._stories[row.story.id]
        self._free.append(slot)


def _weighted(heaviest: str, language: str) -> Terms:
    """Terms with whole weights, kept apart by language: equal spelling is not equal meaning."""
    terms = read_terms(heaviest)
    return tuple((sys.intern(f"{language}:{term}"), weight) for term, weight in terms)
