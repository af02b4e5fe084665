"""One view of the embedded index, as searches ask it."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import tantivy

from search.cursor import Cursor
from search.engine import TooManyWordsError
from search.rows import Row, by_score, by_time
from search.shown import Shown, shown
from search.stored_fields import count
from search.tantivy_queries import TantivyQueries, all_of
from search.tantivy_schema import SCHEMA, WORDS

_FOR_A_PAGE, _TO_VERIFY = 64, 1024


class TantivyEngine:
    """As ``search.engine.Engine``."""

    facet_fields: Mapping[str, str] = {"topic": "topic", "source": "site", "lang": "lang"}
    story_field = "story"

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self._searcher = searcher
        self._counted: tuple[tantivy.Query, int] | None = None

    def queries(self, *, cautious: bool = False) -> TantivyQueries:
        """What it can be asked."""
        return TantivyQueries(patterns_in_phrases=not cautious)

    def of_articles(self, ids: Sequence[str]) -> tantivy.Query:
        """The articles named."""
        if not ids:
            return tantivy.Query.empty_query()
        return tantivy.Query.term_set_query(SCHEMA, "id", [*ids])

    def of_story(self, story: str) -> tantivy.Query:
        """The articles of ``story``."""
        return tantivy.Query.term_query(SCHEMA, "story", story)

    def count(self, query: tantivy.Query) -> int:
        """How many articles ``query`` finds; known already where rows of it were read."""
        if self._counted is None or self._counted[0] is not query:
            with _too_many_words():
                self._counted = query, count(self._searcher, query)
        return self._counted[1]

    def by_time(
        self,
        query: tantivy.Query,
        *,
        newest_first: bool,
        behind: Cursor | None = None,
        words: bool = False,
    ) -> Iterator[Row]:
        """By (seen, id), read as they are asked for; of those to be verified many at first."""

        def counted(found: int) -> None:
            self._counted = query, found

        with _too_many_words():
            yield from by_time(
                self._searcher,
                query,
                newest_first=newest_first,
                behind=behind,
                at_first=_TO_VERIFY if words else _FOR_A_PAGE,
                counted=counted,
            )

    def keys(self, query: tantivy.Query, *, most: int) -> Container[Hashable]:
        """The keys of the newest rows of ``query``."""
        with _too_many_words():
            found = self._searcher.search(query, most, count=False, order_by_field="place").hits
        return {(address.segment_ord, address.doc) for _, address in found}

    def by_score(
        self,
        query: tantivy.Query,
        *,
        most: int,
        words: bool = False,  # noqa: ARG002 - of the protocol
    ) -> Iterator[Row]:
        """The best first."""
        with _too_many_words():
            yield from by_score(self._searcher, query, most=most)

    def firsts(
        self, query: tantivy.Query, stories: Sequence[str], *, newest_first: bool
    ) -> Mapping[str, str]:
        """Of each story the id of the first article that ``query`` finds."""
        found = {}
        for story in stories:
            of_story = all_of([query, self.of_story(story)])
            for row in self.by_time(of_story, newest_first=newest_first):
                found[story] = row.id
                break
        return found

    def aggregate(self, query: tantivy.Query, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answers to the aggregations ``asked``."""
        return self._searcher.aggregate(query, dict(asked))

    def shown(self, rows: Sequence[Row]) -> Sequence[Shown]:
        """What is shown of each row."""
        found = [self._searcher.doc(row.address) for row in rows]
        return [shown(one.get_first("record") or b"", one.get_first(WORDS) or b"") for one in found]

    def story_sizes(self, stories: Sequence[str]) -> Mapping[str, int]:
        """How many articles each story has."""
        # One by one is a third of the work of an aggregation.
        return {story: count(self._searcher, self.of_story(story)) for story in stories}


@contextmanager
def _too_many_words() -> Iterator[None]:
    """The engine looks up the wildcards of phrases only when it searches."""
    try:
        yield
    except ValueError as error:
        raise TooManyWordsError(str(error)) from error
