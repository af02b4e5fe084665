"""The reading half of the Index port over Elasticsearch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from elasticsearch import Elasticsearch

from processors.query_tree import Query
from processors.records import StoryRecord
from search.answer import hits_a_day_of, result_of, total_of
from search.elastic_queries import Dsl
from search.elastic_schema import record_of
from search.elastic_search import ElasticEngine
from search.elastic_settings import ElasticSettings
from search.elastic_view import ElasticView
from search.index import SearchRequest, SearchResult, Volume
from search.volume import volume_of

MAX_STORY = 200
"""Articles of a story that are shown."""


class ElasticReader:
    """Searches the alias ``articles``. For any thread."""

    def __init__(self, client: Elasticsearch, articles: str, settings: ElasticSettings) -> None:
        self._client = client
        self._articles = articles
        self._settings = settings

    def search(self, request: SearchRequest) -> SearchResult:
        """The page that ``request`` asks for.

        Raises:
            QueryError: above the work limits.
            UsageError: a cursor, facet, interval or size that cannot be.
            UnavailableError: not all articles can be searched now.
        """
        started = time.perf_counter()
        with self.engine(size=request.size) as engine:
            result = result_of(engine, request)
        return replace(result, took_ms=(time.perf_counter() - started) * 1000)

    def count(self, query: Query) -> int:
        """How many articles ``query`` finds; up to 10,000 where candidates are verified."""
        with self.engine() as engine:
            return total_of(engine, SearchRequest(query=query))

    def hits_a_day(self, query: Query) -> float:
        """Articles that ``query`` found a day, over the last 30 days that are indexed."""
        with self.engine() as engine:
            return hits_a_day_of(engine, query)

    def volume(self, query: Query, *, since: datetime, until: datetime) -> Volume:
        """What ``query`` found in a span of time. Raises QueryError above the work limits."""
        with self.engine() as engine:
            return volume_of(engine, query, since=since, until=until)

    def get(self, article_id: str) -> StoryRecord | None:
        """One article as it was last written."""
        found = self._records({"term": {"id": article_id}}, order=[{"order": "desc"}], size=1)
        return found[0] if found else None

    def story(self, story_id: str) -> Sequence[StoryRecord]:
        """The articles of a story, oldest first, at most ``MAX_STORY``."""
        order: list[Dsl] = [{"seen": "asc"}, {"id": "asc"}]
        return self._records({"term": {"story_id": story_id}}, order=order, size=MAX_STORY)

    @contextmanager
    def engine(self, *, size: int = 1) -> Iterator[ElasticEngine]:
        """What a search asks, as long as the block lasts; a page has ``size`` hits."""
        with self._view() as view:
            yield ElasticEngine(view, size=size)

    def _records(self, query: Dsl, *, order: Sequence[Dsl], size: int) -> list[StoryRecord]:
        with self._view() as view:
            found = view.ask(query=query, sort=order, size=size, stored_fields=["record"])
        return [record_of(one["fields"]["record"][0]) for one in found["hits"]["hits"]]

    def _view(self) -> ElasticView:
        return ElasticView(
            self._client,
            self._articles,
            url=self._settings.url,
            answer_seconds=self._settings.answer_seconds,
        )
