"""What a search needs of the engine below it; the rest is the same for all (search/answer.py)."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ingest.errors import QueryError
from processors.document import Document
from search.cursor import Cursor
from search.shown import Shown
from search.translate import Queries

Q = TypeVar("Q")


class TooManyWordsError(QueryError):
    """The wildcards of a phrase or of NEAR stand for more words than the engine takes."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            sentence="The wildcards of this search stand for too many words.",
            hint="Give them more letters in front, or search for fewer at a time.",
            caret=0,
        )


class Row(Protocol):
    """One found article; its parts are read when asked for.

    Attributes:
        ms: When it was seen; 0 where that is unknown.
        score: Only where that is the order.
    """

    @property
    def key(self) -> Hashable:
        """What tells it from other rows of this view."""

    @property
    def id(self) -> str:
        """The article's."""

    @property
    def ms(self) -> int:
        """See above."""

    @property
    def story(self) -> str:
        """The id of its story."""

    @property
    def score(self) -> float | None:
        """See above."""

    def document(self) -> Document:
        """What the matcher verifies: words and metadata, no offsets."""


R = TypeVar("R", bound=Row)


class Engine(Protocol[Q, R]):
    """One view of an index, which does not change while a search looks at it.

    Attributes:
        facet_fields: The field behind each facet.
        story_field: That of the story's id.
    """

    @property
    def facet_fields(self) -> Mapping[str, str]:
        """See above."""

    @property
    def story_field(self) -> str:
        """See above."""

    def queries(self, *, cautious: bool = False) -> Queries[Q]:
        """What it can be asked; ``cautious``: after a ``TooManyWordsError``."""

    def of_articles(self, ids: Sequence[str]) -> Q:
        """The articles named, which may be none."""

    def of_story(self, story: str) -> Q:
        """The articles of ``story``."""

    def count(self, query: Q) -> int:
        """How many articles ``query`` finds."""

    def by_time(
        self, query: Q, *, newest_first: bool, behind: Cursor | None = None, words: bool = False
    ) -> Iterator[R]:
        """By (seen, id), all of them, read as they are asked for; ``words``: to be verified."""

    def keys(self, query: Q, *, most: int) -> Container[Hashable]:
        """The keys of the newest rows of ``query``; none where reading them spares nothing."""

    def by_score(self, query: Q, *, most: int, words: bool = False) -> Iterator[R]:
        """The best first."""

    def firsts(self, query: Q, stories: Sequence[str], *, newest_first: bool) -> Mapping[str, str]:
        """Of each story the id of the first article that ``query`` finds."""

    def aggregate(self, query: Q, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answers to the aggregations ``asked``, over all that ``query`` finds."""

    def shown(self, rows: Sequence[R]) -> Sequence[Shown]:
        """What is shown of each row."""

    def story_sizes(self, stories: Sequence[str]) -> Mapping[str, int]:
        """How many articles each story has."""
