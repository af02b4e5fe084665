"""One view of the embedded index, as searches ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import tantivy

from processors.records import StoryRecord
from search.cursor import Cursor
from search.engine import TooManyWordsError
from search.rows import Row, by_score, by_time
from search.stored_fields import count, record_at
from search.tantivy_queries import TantivyQueries, all_of
from search.tantivy_schema import SCHEMA


class TantivyEngine:
    """As ``search.engine.Engine``."""

    facet_fields: Mapping[str, str] = {"topic": "topic", "source": "site", "lang": "lang"}
    story_field = "story"

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self._searcher = searcher

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
        """How many articles ``query`` finds."""
        with _too_many_words():
            return count(self._searcher, query)

    def by_time(
        self,
        query: tantivy.Query,
        *,
        newest_first: bool,
        behind: Cursor | None = None,
        words: bool = False,  # noqa: ARG002 - rows read them when asked
    ) -> Iterator[Row]:
        """By (seen, id), read as they are asked for."""
        with _too_many_words():
            yield from by_time(self._searcher, query, newest_first=newest_first, behind=behind)

    def by_score(
        self,
        query: tantivy.Query,
        *,
        most: int,
        words: bool = False,  # noqa: ARG002 - as above
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

    def records(self, rows: Sequence[Row]) -> Sequence[StoryRecord]:
        """The whole record of each row."""
        return [record_at(self._searcher, row.address) for row in rows]

    def story_sizes(self, stories: Sequence[str]) -> Mapping[str, int]:
        """How many articles each story has."""
        of_stories = tantivy.Query.term_set_query(SCHEMA, "story", [*stories])
        asked = {"story": {"terms": {"field": "story", "size": len(stories)}}}
        found = self._searcher.aggregate(of_stories, asked)["story"]["buckets"]
        return {one["key"]: one["doc_count"] for one in found}


@contextmanager
def _too_many_words() -> Iterator[None]:
    """The engine looks up the wildcards of phrases only when it searches."""
    try:
        yield
    except ValueError as error:
        raise TooManyWordsError(str(error)) from error
