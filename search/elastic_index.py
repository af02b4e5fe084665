"""The index on Elasticsearch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ingest.errors import ForeignStoreError
from processors.query_tree import Query
from processors.records import StoryRecord
from search.elastic_aliases import is_right
from search.elastic_client import check, connect
from search.elastic_errors import translated
from search.elastic_names import Names
from search.elastic_reader import ElasticReader
from search.elastic_settings import ElasticSettings
from search.elastic_writer import Successor, Writer
from search.index import Checkpoint, SearchRequest, SearchResult, Volume, WriteResult

_NOTHING = {"docs": {"count": 0}, "store": {"size_in_bytes": 0}}


class ElasticIndex:
    """The Index port over Elasticsearch. Searched from any thread; one thread writes."""

    def __init__(self, settings: ElasticSettings) -> None:
        """Connect. Nothing is made before the first write or checkpoint.

        Raises:
            UnavailableError: nobody answers.
            StoreError: it is no Elasticsearch that we can work with.
        """
        self._settings = settings
        self._names = Names(settings.prefix)
        self._client = connect(settings)
        self._writer = Writer(self._client, settings)
        self._reader = ElasticReader(self._client, self._names.articles, settings)

    @property
    def outdated(self) -> str:
        """Never: with other fields it must be rebuilt, and is searched as it is until then."""
        return ""

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``; with nothing to write it asks whether it still may.

        Raises:
            FencedError: the index was rebuilt, or another worker has gone further.
            ForeignStoreError: the index is not the one that was filled.
        """
        return self._writer.write(stories, checkpoint, links or {}, removed=removed)

    def checkpoint(self) -> Checkpoint | None:
        """What the last writes with a checkpoint stored, of all partitions.

        Raises:
            ForeignStoreError: the articles are not those that it speaks of.
        """
        return self._writer.checkpoint()

    def search(self, request: SearchRequest) -> SearchResult:
        """The page that ``request`` asks for; see ``ElasticReader.search``."""
        return self._reader.search(request)

    def count(self, query: Query) -> int:
        """How many articles ``query`` finds."""
        return self._reader.count(query)

    def volume(self, query: Query, *, since: datetime, until: datetime) -> Volume:
        """What ``query`` found in a span of time."""
        return self._reader.volume(query, since=since, until=until)

    def get(self, article_id: str) -> StoryRecord | None:
        """One article as it was last written."""
        return self._reader.get(article_id)

    def story(self, story_id: str) -> Sequence[StoryRecord]:
        """The articles of a story, oldest first, at most 200."""
        return self._reader.story(story_id)

    def hits_a_day(self, query: Query) -> float:
        """Articles that ``query`` found a day, over the last 30 days that are indexed."""
        return self._reader.hits_a_day(query)

    def refresh(self) -> None:
        """Make everything written before visible."""
        with translated(self._settings.url, "refreshing the articles"):
            self._client.indices.refresh(index=self._names.articles, ignore_unavailable=True)

    def health(self) -> Mapping[str, str]:
        """Facts for ``doctor``."""
        version = check(self._client, self._settings.url)
        number = self._writer.in_force()
        searched = self._names.generation(number or 1)  # by name: the alias may be wrong
        with translated(self._settings.url, "asking for its health"):
            cluster = self._client.cluster.health()
            stats = self._client.indices.stats(index=searched, metric=["docs", "store"])
        total = stats["_all"]["primaries"] or _NOTHING
        return {
            "version": version,
            "cluster": cluster["status"],
            "articles": f"{total['docs']['count']:,}",
            "size": f"{total['store']['size_in_bytes'] / 1e6:,.1f} MB",
            "state": self._state(number) if number else "ok",
        }

    def successor(self) -> Successor:
        """An empty generation beside this one.

        Raises:
            UnavailableError: one is being built already.
        """
        return self._writer.successor()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _state(self, number: int) -> str:
        try:
            self._writer.refuse_foreign(number)
        except ForeignStoreError as error:
            return error.sentence
        if not is_right(self._client, self._settings, number):
            return (
                f"The alias {self._names.articles} is wrong; a restart of the index stage mends it."
            )
        return "ok"
