"""One view of the articles in Elasticsearch, as searches ask it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from processors.document import Document
from search.cursor import Cursor
from search.elastic_queries import Dsl, ElasticQueries
from search.elastic_view import ElasticView
from search.shown import Shown, shown
from search.stored_words import unpack

_BATCH = 64
"""Rows asked for after the first page; each further request asks for four times as many."""

_MOST = 1024  # rows to be verified hold some 3 kB each


@dataclass(frozen=True, slots=True)
class ElasticRow:
    """One found document, as ``search.engine.Row``; ``fields`` hold what was asked for."""

    id: str
    ms: int
    score: float | None
    fields: Mapping[str, Sequence[Any]]

    @property
    def key(self) -> str:
        """What tells it from other rows."""
        return self.id

    @property
    def story(self) -> str:
        """The id of its story."""
        return str(self.fields.get("story_id", ("",))[0])

    def document(self) -> Document:
        """Its stored words."""
        return unpack(b64decode(self.fields["words"][0]))


class ElasticEngine:
    """As ``search.engine.Engine``; a page has ``size`` hits."""

    facet_fields: Mapping[str, str] = {"topic": "topics", "source": "source", "lang": "language"}
    story_field = "story_id"

    def __init__(self, view: ElasticView, *, size: int = 1) -> None:
        self._view = view
        self._size = size
        self._counted: tuple[Dsl, int] | None = None

    def queries(self, *, cautious: bool = False) -> ElasticQueries:
        """What it can be asked."""
        return ElasticQueries(intervals=not cautious)

    def of_articles(self, ids: Sequence[str]) -> Dsl:
        """The articles named."""
        return {"terms": {"id": [*ids]}}

    def of_story(self, story: str) -> Dsl:
        """The articles of ``story``."""
        return {"term": {"story_id": story}}

    def count(self, query: Dsl) -> int:
        """How many articles ``query`` finds; known already where rows of it were read."""
        if self._counted is None or self._counted[0] is not query:
            found = self._view.ask(query=query, size=0, track_total_hits=True)
            self._counted = query, found["hits"]["total"]["value"]
        return self._counted[1]

    def by_time(
        self, query: Dsl, *, newest_first: bool, behind: Cursor | None = None, words: bool = False
    ) -> Iterator[ElasticRow]:
        """By (seen, id), read as they are asked for."""
        after = [behind.ms, behind.article_id] if behind else None
        return self._rows(query, _by_time(newest_first=newest_first), after=after, words=words)

    def keys(self, query: Dsl, *, most: int) -> Container[str]:  # noqa: ARG002 - of the protocol
        """None: rows come with their words, so that none are spared."""
        return ()

    def by_score(self, query: Dsl, *, most: int, words: bool = False) -> Iterator[ElasticRow]:
        """The best first; of one score the newest."""
        order = [{"_score": "desc"}, *_by_time(newest_first=True)]
        return islice(self._rows(query, order, after=None, words=words), most)

    def firsts(
        self, query: Dsl, stories: Sequence[str], *, newest_first: bool
    ) -> Mapping[str, str]:
        """Of each story the id of the first article that ``query`` finds."""
        found = self._view.ask(
            query={"bool": {"must": [query, {"terms": {"story_id": [*stories]}}]}},
            collapse={"field": "story_id"},
            sort=_by_time(newest_first=newest_first),
            size=len(stories),
            docvalue_fields=["story_id"],
        )["hits"]["hits"]
        return {one["fields"]["story_id"][0]: one["_id"] for one in found if "fields" in one}

    def aggregate(self, query: Dsl, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answers to the aggregations ``asked``."""
        found = self._view.ask(query=query, size=0, aggs=asked)
        answers: Mapping[str, Any] = found.get("aggregations", {})  # none before the first article
        return {name: answers.get(name, {"buckets": []}) for name in asked}

    def shown(self, rows: Sequence[ElasticRow]) -> Sequence[Shown]:
        """What is shown of each row; records of the first page came with it."""
        stored = {row.id: row.fields["record"][0] for row in rows if "record" in row.fields}
        missing = [row.id for row in rows if row.id not in stored]
        if missing:
            found = self._view.ask(
                query=self.of_articles(missing), size=len(missing), stored_fields=["record"]
            )["hits"]["hits"]
            stored |= {one["_id"]: one["fields"]["record"][0] for one in found}
        return [shown(b64decode(stored[row.id]), b"") for row in rows]

    def story_sizes(self, stories: Sequence[str]) -> Mapping[str, int]:
        """How many articles each story has."""
        of_stories = {"terms": {"story_id": [*stories]}}
        asked = {"story": {"terms": {"field": "story_id", "size": len(stories)}}}
        found = self.aggregate(of_stories, asked)["story"]["buckets"]
        return {one["key"]: one["doc_count"] for one in found}

    def _rows(
        self, query: Dsl, order: Sequence[Dsl], *, after: Sequence[Any] | None, words: bool
    ) -> Iterator[ElasticRow]:
        limit, is_first = self._size + 1, True
        while True:
            if words or not is_first:
                self._view.hold()
            found = self._view.ask(
                query=query,
                sort=order,
                size=limit,
                search_after=after,
                track_total_hits=is_first,
                docvalue_fields=["story_id"],
                stored_fields=["words"] if words else ["record"] if is_first else None,
            )["hits"]
            if is_first:
                self._counted = query, found["total"]["value"]
            hits = found["hits"]
            for hit in hits:
                seen_at = hit["sort"][len(order) - 2]
                yield ElasticRow(hit["_id"], seen_at, hit["_score"], hit.get("fields", {}))
            if len(hits) < limit:
                return
            after = hits[-1]["sort"][: len(order)]  # a held view adds a value of its own
            limit, is_first = _BATCH if is_first else min(limit * 4, _MOST), False


def _by_time(*, newest_first: bool) -> list[Dsl]:
    order = "desc" if newest_first else "asc"
    return [{"seen": order}, {"id": order}]
