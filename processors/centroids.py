"""The centroid of every story, held by term so that a new article meets only those it may join.

Weights are whole numbers: added and taken away in any order, they give the same sums.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping

Terms = tuple[tuple[str, int], ...]

NEAREST = 8
"""Stories looked at: those that share the heaviest terms."""

_HOLDERS_READ = 1_000
"""Stories met through their terms, rarest terms first: about 1 ms, however full the window. In a
large one commoner words only tell apart what rarer ones found."""

_CANDIDATES = 64
"""Stories found by rarer terms that commoner ones are then counted for; 8 of them are given."""

_FEW_ARTICLES = 500
"""A smaller window says nothing about how common a word is just now."""

_COMMON_SHARE = 0.01
"""Share of the window's articles above which a word counts less: templates, boilerplate."""


class Story:
    """A story with articles in the window.

    Attributes:
        began: Order of its first article.
        rows: Its articles in the window, as numbers; a dict for its order.
        terms: Its centroid: the sums of its articles' weights.
        norm2: Square of the centroid's length.
        size, sources: Of all its articles, also those that have left the window.
    """

    __slots__ = ("began", "id", "norm2", "rows", "size", "sources", "terms")

    def __init__(self, story_id: str, began: int) -> None:
        self.id = story_id
        self.began = began
        self.terms: dict[str, int] = {}
        self.norm2 = 0
        self.rows: dict[int, None] = {}
        self.size = 0
        self.sources: tuple[str, ...] = ()


class Centroids:
    """Sums of the terms of each story's articles. Not thread-safe."""

    def __init__(self) -> None:
        self._holders: dict[str, set[Story]] = {}
        self._articles: dict[str, int] = {}
        self._count = 0

    def nearest(self, terms: Terms) -> list[tuple[float, Story]]:
        """Cosine and story of the few nearest to ``terms``, best first, in ties the older.

        What is given depends on the articles in the window alone, not on how they came there.
        """
        norm = math.sqrt(sum(weight * weight for _, weight in terms))
        held = [(len(self._holders.get(term, ())), term, weight) for term, weight in terms]
        products: dict[Story, float] = {}
        read = 0
        for count, term, weight in sorted(held):
            factor = weight * self._rarity(term) / norm
            if read <= _HOLDERS_READ < read + count:
                products = dict(_best(products, _CANDIDATES))
            read += count
            for story in self._holders.get(term, ()) if read <= _HOLDERS_READ else products:
                products[story] = products.get(story, 0.0) + factor * story.terms.get(term, 0)
        return [(_cosine(story, product), story) for story, product in _best(products, NEAREST)]

    def cosine(self, one: Story, other: Story) -> float:
        """Cosine of two centroids."""
        if len(one.terms) > len(other.terms):
            one, other = other, one
        product = sum(weight * other.terms.get(term, 0) for term, weight in one.terms.items())
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
            before = story.terms.get(term, 0)
            after = before + sign * weight
            story.norm2 += after * after - before * before
            if after:
                story.terms[term] = after
                self._holders.setdefault(term, set()).add(story)
                continue
            del story.terms[term]
            self._holders[term].remove(story)
            if not self._holders[term]:
                del self._holders[term]


def _cosine(story: Story, product: float) -> float:
    return product / math.sqrt(story.norm2)


def _best(products: Mapping[Story, float], count: int) -> list[tuple[Story, float]]:
    """The ``count`` with the greatest cosines, best first, in ties the older."""
    cosines = [(_cosine(story, product), story) for story, product in products.items()]
    least = heapq.nlargest(count, (cosine for cosine, _ in cosines))[-1:]
    good = [(cosine, story) for cosine, story in cosines if least and cosine >= least[0]]
    good.sort(key=lambda pair: (-pair[0], pair[1].began, pair[1].id))
    return [(story, products[story]) for _, story in good[:count]]
