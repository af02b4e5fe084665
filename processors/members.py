"""The articles in the window, and the stories that they are members of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from processors.signatures import read_terms

Terms = list[tuple[str, int]]
"""Terms and their weights, each term once."""


SOURCES_KEPT = 30
"""Of a story, in records: enough to show, and a decision stays below 2 kB."""


class Story:
    """A story with articles in the window.

    Attributes:
        began: Order of its first article.
        members: Its articles in the window; a dict for its order.
        norm2, norm: Length of its centroid: the square, which is a whole number, and itself.
        size, sources: Of all its articles, also those that have left the window.
    """

    __slots__ = ("began", "id", "members", "norm", "norm2", "size", "sources")

    def __init__(self, story_id: str, began: int) -> None:
        self.id = story_id
        self.began = began
        self.norm2 = 0
        self.norm = 0.0
        self.members: dict[Member, None] = {}
        self.size = 0
        self.sources: tuple[str, ...] = ()

    def __lt__(self, other: Story) -> bool:
        """Whether this one is the older."""
        return (self.began, self.id) < (other.began, other.id)

    def count(self, source: str) -> None:
        """Count an article of ``source``."""
        self.size += 1
        if source not in self.sources and len(self.sources) < SOURCES_KEPT:
            self.sources = (*self.sources, source)

    def absorb(self, other: Story) -> None:
        """Take over the articles of ``other``, which ends."""
        self.members.update(other.members)
        self.size += other.size
        added = (source for source in other.sources if source not in self.sources)
        self.sources = (*self.sources, *added)[:SOURCES_KEPT]


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """An article in the window.

    Attributes:
        root: The first article with its text: its own id, or that of the one it copies.
        hashes, size: Of its shingles; see ``copies.py``.
        heaviest: ``Signature.terms``.
    """

    article_id: str
    root: str
    order: int
    seen: datetime
    published: datetime
    language: str
    heaviest: str
    hashes: int
    size: int
    story: Story

    def terms(self) -> Terms:
        """Terms with whole weights, kept apart by language: equal spelling, other meaning.

        Read anew each time: the text takes a fifth of the memory, and is seldom asked.
        """
        return [(f"{self.language}:{term}", weight) for term, weight in read_terms(self.heaviest)]
