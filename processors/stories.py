"""Signatures, copies, stories: which article says what another said, and what belongs together.

A copy holds nearly all the shingles of an earlier article, or is held by it. A story is the
centroid of its articles' terms (single pass, as in topic detection and tracking): an article joins
the nearest one within a window of hours, else it begins its own. Weights are whole numbers, so a
window is an exact function of the articles in it and can be rebuilt after a restart, bit by bit.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from processors.centroids import Centroids
from processors.copies import copied, read_hashes
from processors.members import Member, Story, Terms
from processors.records import Signature
from processors.signatures import signature

__all__ = ["Placed", "Placement", "Window", "signature"]

MIN_WORDS = 6
"""Shorter texts ("Morning briefing") are alike by chance; each stays alone."""

SAME_STORY = 0.22
"""Least cosine with a centroid: best B-cubed F on the labelled stories lies at .20 to .24."""

BESIDE_A_WORD = 0.1
"""Least cosine without the word that weighs most: a rare place or name makes no story alone, where
a small town brings together its harbour, its choir and its bank."""

SAME_STORIES = 0.5
"""Least cosine of two centroids, both near the new article, for their stories to merge."""


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


class Window:
    """The articles of the last hours by their own times, in their stories.

    Not thread-safe. Time a call: about O(terms x stories that share a term).
    """

    def __init__(self, hours: float = 72) -> None:
        self._span = timedelta(hours=hours)
        self._newest: datetime | None = None
        self._members: deque[Member] = deque()
        self._centroids = Centroids()
        self._stories: dict[str, Story] = {}

    def __len__(self) -> int:
        return len(self._members)

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
        member = _member(
            article_id, found, order=order, seen=seen, published=published, language=language
        )
        terms = member.terms()
        near = self._centroids.nearest(terms) if found.length >= MIN_WORDS else []
        original, contained = copied(member, (other for _, one in near for other in one.members))
        close = [story for cosine, story in near if self._is_close(cosine, story, member, terms)]
        joined, merged = self._choose(close, original)
        story = member.story = joined or self._stories.setdefault(article_id, member.story)
        story.count(source)
        member.root = original.root if original else article_id
        self._add(member, terms)
        copy_of = member.root if member.root != article_id else ""
        return Placement(
            story_id=story.id,
            copy_of=copy_of,
            similarity=contained if copy_of else 0.0,
            merged=merged,
            story_began=story.began,
            story_size=story.size,
            story_sources=story.sources,
        )

    def advance(self, seen: datetime) -> None:
        """Let go of what is older than the window, counted from the newest time so far."""
        self._newest = max(self._newest or seen, seen)
        oldest = self._newest - self._span
        while self._members and self._members[0].seen <= oldest:
            self._drop(self._members.popleft())

    def forget(self, article_id: str) -> None:
        """Let go of an article before its time: nothing joins it, or copies it, any more."""
        for member in [one for one in self._members if one.article_id == article_id]:
            self._members.remove(member)
            self._drop(member)

    def extent(self, story_id: str) -> tuple[int, tuple[str, ...]] | None:
        """Size and sources of a story with articles in the window, else None."""
        story = self._stories.get(story_id)
        return (story.size, story.sources) if story else None

    def restore(self, placed: Placed) -> None:
        """Count an article as it was placed before; call it in the order of placing."""
        at = placed.placement
        self.advance(placed.seen)
        member = _member(
            placed.article_id,
            placed.signature,
            order=placed.order,
            seen=placed.seen,
            published=placed.published,
            language=placed.language,
        )
        member.root = at.copy_of or placed.article_id
        story = self._stories.setdefault(at.story_id, Story(at.story_id, at.story_began))
        story.began = min(story.began, at.story_began)
        story.size, story.sources = at.story_size, at.story_sources
        member.story = story
        self._add(member, member.terms())

    def _is_close(self, cosine: float, story: Story, member: Member, terms: Terms) -> bool:
        return (
            cosine >= SAME_STORY
            and self._centroids.beside_a_word(terms, story) >= BESIDE_A_WORD
            and any(abs(one.published - member.published) <= self._span for one in story.members)
        )

    def _choose(
        self, close: list[Story], original: Member | None
    ) -> tuple[Story | None, tuple[str, ...]]:
        """The story to join, if any, and those that end in it."""
        if original:
            close = [original.story, *(story for story in close if story is not original.story)]
        if len(close) < 2:  # noqa: PLR2004 - a merge takes two
            return (close[0] if close else None), ()
        nearest = close[0]
        alike = [nearest, *(s for s in close[1:] if self._cosine(nearest, s) >= SAME_STORIES)]
        oldest = min(alike)
        merged = [story for story in alike if story is not oldest]
        for story in merged:
            self._merge(story, oldest)
        return oldest, tuple(story.id for story in merged)

    def _cosine(self, one: Story, other: Story) -> float:
        fewer = min(one, other, key=lambda story: len(story.members))
        terms = {term for member in fewer.members for term, _ in member.terms()}
        return self._centroids.cosine(one, other, terms)

    def _merge(self, story: Story, survivor: Story) -> None:
        for member in story.members:
            terms = member.terms()
            self._centroids.remove(story, terms)
            self._centroids.add(survivor, terms)
            member.story = survivor
        survivor.absorb(story)
        del self._stories[story.id]

    def _add(self, member: Member, terms: Terms) -> None:
        member.story.members[member] = None
        self._members.append(member)
        self._centroids.add(member.story, terms)

    def _drop(self, member: Member) -> None:
        story = member.story
        self._centroids.remove(story, member.terms())
        del story.members[member]
        if not story.members:
            del self._stories[story.id]


def _member(
    article_id: str,
    found: Signature,
    *,
    order: int,
    seen: datetime,
    published: datetime | None,
    language: str,
) -> Member:
    """An article as it stands before it is placed: an original in a story of its own."""
    return Member(
        article_id=article_id,
        root=article_id,
        order=order,
        seen=seen,
        published=published or seen,
        language=language,
        heaviest=found.terms,
        hashes=read_hashes(found),
        size=found.size,
        story=Story(article_id, order),
    )
