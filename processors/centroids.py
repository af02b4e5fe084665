"""The centroid of every story, held by term so that a new article meets only those it may join.

Weights are whole numbers: added and taken away in any order, they give the same sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from processors.members import Story, Terms

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

Products = dict[Story, float]
"""Inner products of an article's terms with centroids."""


class Centroids:
    """Sums of the terms of each story's articles. Not thread-safe."""

    def __init__(self) -> None:
        self._weights: dict[str, dict[Story, int]] = {}
        self._articles: dict[str, int] = {}
        self._count = 0

    def nearest(self, terms: Terms) -> list[tuple[float, Story]]:
        """Cosine and story of the few nearest to ``terms``, best first, in ties the older.

        What is given depends on the articles in the window alone, not on how they came there.
        """
        norm = math.sqrt(sum(weight * weight for _, weight in terms))
        held = sorted(
            (len(self._weights[term]), term, weight)
            for term, weight in terms
            if term in self._weights
        )
        products: Products = {}
        read = 0
        for count, term, weight in held:
            factor = weight * self._rarity(term) / norm
            weights = self._weights[term]
            if read <= _HOLDERS_READ < read + count:
                products = {story: products[story] for _, story in _best(products, _CANDIDATES)}
            read += count
            if read <= _HOLDERS_READ:
                for story, total in weights.items():
                    products[story] = products.get(story, 0.0) + factor * total
            else:
                for story in products:
                    products[story] += factor * weights.get(story, 0)
        return _best(products, NEAREST)

    def beside_a_word(self, terms: Terms, story: Story) -> float:
        """Cosine of ``terms`` and ``story`` but for the one word that brings them nearest."""
        norm = math.sqrt(sum(weight * weight for _, weight in terms))
        parts = [
            weight * self._rarity(term) * self._weights[term].get(story, 0)
            for term, weight in terms
            if term in self._weights
        ]
        return (sum(parts) - max(parts, default=0.0)) / (norm * story.norm)

    def cosine(self, one: Story, other: Story, terms: Iterable[str]) -> float:
        """Cosine of two centroids; ``terms`` has those of one of them, each once."""
        held = [self._weights[term] for term in terms]
        product = sum(weights.get(one, 0) * weights.get(other, 0) for weights in held)
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
            weights = self._weights.setdefault(term, {})
            before = weights.get(story, 0)
            after = before + sign * weight
            story.norm2 += after * after - before * before
            if after:
                weights[story] = after
                continue
            del weights[story]
            if not weights:
                del self._weights[term]
        story.norm = math.sqrt(story.norm2)


def _best(products: Products, count: int) -> list[tuple[float, Story]]:
    """Cosine and story of the ``count`` greatest cosines, best first, in ties the older."""
    cosines = [product / story.norm for story, product in products.items()]
    least = sorted(cosines)[-count] if len(cosines) > count else 0.0
    ranked = sorted(
        (-cosine, story) for cosine, story in zip(cosines, products, strict=True) if cosine >= least
    )
    return [(-negative, story) for negative, story in ranked[:count]]
