"""The centroid of every story, held by term so that a new article meets only those it may join.

Weights are whole numbers: added and taken away in any order, they give the same sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

Terms = tuple[tuple[str, int], ...]

NEAREST = 8
"""Stories looked at: those that share the heaviest terms."""

_FEW_ARTICLES = 500
"""A smaller window says nothing about how common a word is just now."""

_COMMON_SHARE = 0.01
"""Share of the window's articles above which a word counts less: templates, boilerplate."""


class Story:
    """A story with articles in the window.

    Attributes:
        began: Order of its first article.
        rows: Its articles in the window, as numbers; a dict for its order.
        norm2: Square of the centroid's length.
        size, sources: Of all its articles, also those that have left the window.
    """

    __slots__ = ("began", "id", "norm2", "rows", "size", "sources")

    def __init__(self, story_id: str, began: int) -> None:
        self.id = story_id
        self.began = began
        self.norm2 = 0
        self.rows: dict[int, None] = {}
        self.size = 0
        self.sources: tuple[str, ...] = ()


class Centroids:
    """Sums of the terms of each story's articles. Not thread-safe."""

    def __init__(self) -> None:
        self._weights: dict[str, dict[Story, int]] = {}
        self._articles: dict[str, int] = {}
        self._count = 0

    def nearest(self, terms: Terms) -> list[tuple[float, Story]]:
        """Cosine and story of the few nearest to ``terms``, best first, in ties the older."""
        products: dict[Story, float] = {}
        for term, weight in terms:
            rarity = weight * self._rarity(term)
            for story, other in self._weights.get(term, {}).items():
                products[story] = products.get(story, 0.0) + rarity * other
        norm = math.sqrt(sum(weight * weight for _, weight in terms))
        scored = [
            (product / (norm * math.sqrt(story.norm2)), story)
            for story, product in products.items()
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1].began, pair[1].id))
        return scored[:NEAREST]

    def cosine(self, one: Story, other: Story, articles: Iterable[Terms]) -> float:
        """Cosine of two centroids; ``articles`` are the terms of those of ``one``."""
        product = sum(
            weight * self._weights[term].get(other, 0)
            for terms in articles
            for term, weight in terms
        )
        return product / math.sqrt(one.norm2 * other.norm2)

    def add(self, story: Story, terms: Terms) -> None:
        """Count an article in ``story``."""
        self._count += 1
        self._weigh(story, terms, 1)
        for term, _ in terms:
            self._articles[term] = self._articles.get(term, 0) + 1

    def remove(self, story: Story, terms: Terms) -> None:
        """Take an article out of ``story``."""
        self._count -= 1
        self._weigh(story, terms, -1)
        for term, _ in terms:
            self._articles[term] -= 1
            if not self._articles[term]:
                del self._articles[term]

    def _rarity(self, term: str) -> float:
        """Factor 0..1 for a word that very many of the window's articles hold."""
        held = self._articles.get(term, 0)
        if self._count < _FEW_ARTICLES or held <= self._count * _COMMON_SHARE:
            return 1.0
        return (math.log(held / self._count) / math.log(_COMMON_SHARE)) ** 2

    def _weigh(self, story: Story, terms: Terms, sign: int) -> None:
        for term, weight in terms:
            stories = self._weights.setdefault(term, {})
            before = stories.get(story, 0)
            after = before + sign * weight
            story.norm2 += after * after - before * before
            if after:
                stories[story] = after
            else:
                del stories[story]
                if not stories:
                    del self._weights[term]
