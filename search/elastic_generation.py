"""One generation of the articles in Elasticsearch: its indices, and writing into them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from elasticsearch import Elasticsearch

from ingest.errors import UnavailableError
from processors.records import StoryRecord
from search.checkpoints import foreign
from search.elastic_bulk import Bulk
from search.elastic_checkpoints import Checkpoints
from search.elastic_client import patient
from search.elastic_errors import translated
from search.elastic_names import Names
from search.elastic_operation import Operation
from search.elastic_schema import article_body, month_of, record_of
from search.elastic_settings import ElasticSettings
from search.elastic_setup import make_index
from search.elastic_triage import MAX_REASON
from search.index import Checkpoint, WriteResult

_PAGE = 100
"""Documents of an absorbed story that are moved at a time; a story rarely has as many."""

_KEEP_ALIVE = "1m"


class Generation:
    """The indices whose names end with ``number``. For one thread."""

    def __init__(
        self,
        client: Elasticsearch,
        settings: ElasticSettings,
        number: int,
        *,
        is_in_force: bool,
    ) -> None:
        self.number = number
        self.is_in_force = is_in_force
        self._client = patient(client, settings)
        self._settings = settings
        self._names = Names(settings.prefix)
        self._bulk = Bulk(client, settings)
        self._checkpoints = Checkpoints(client, settings)
        self._known: set[str] = set()

    def write(
        self,
        stories: Sequence[StoryRecord],
        links: Mapping[str, str],
        removed: Collection[str] = (),
    ) -> WriteResult:
        """Write ``stories``, move the documents of the stories in ``links``, delete. Durable."""
        newest: dict[str, StoryRecord] = {}
        for record in stories:
            known = newest.get(record.article.id)
            if known is None or known.order < record.order:
                newest[record.article.id] = record
        rejected = self._put([*newest.values()], "external")
        if links or removed:
            self.refresh()
        if removed:
            self._delete(removed)
        for records in self._absorbed(links) if links else ():
            self._put([one for one in records if one.article.id not in removed], "external_gte")
        return WriteResult(written=len(stories) - len(rejected), rejected=rejected)

    def open_month(self, index: str) -> None:
        """Make the index of a month and note its id, where it is not known yet."""
        if index in self._known:
            return
        alias = self._names.articles if self.is_in_force else ""
        make_index(self._client, self._settings, index, alias=alias)
        found = self.indices().get(index)
        made = self._checkpoints.made(self.number)
        noted = made.indices.get(index, found) if made else found
        if found is None or noted != found:
            raise foreign(f"The index {index} is not the one that was filled.")
        self._checkpoints.touch(self.number, {index: found})
        self._known.add(index)

    def touch(self, checkpoint: Checkpoint | None) -> None:
        """Note that its making goes on, and how far it is.

        Raises:
            FencedError: it was discarded meanwhile.
        """
        self._checkpoints.touch(self.number)
        if checkpoint is not None:
            self._checkpoints.store(self.number, checkpoint)

    def indices(self) -> Mapping[str, str]:
        """The indices there are, and their ids."""
        with translated(self._settings.url, "listing the indices"):
            found = self._client.indices.get(
                index=self._names.generation(self.number),
                filter_path="*.settings.index.uuid",
            )
        return {
            name: one["settings"]["index"]["uuid"]
            for name, one in found.items()
            if self._names.number_of(name) == self.number
        }

    def refresh(self) -> None:
        """Make everything written before visible."""
        with translated(self._settings.url, "refreshing the articles"):
            self._client.indices.refresh(index=self._names.generation(self.number))

    def delete(self) -> None:
        """Delete the indices and all that is known of them."""
        with translated(self._settings.url, "deleting old articles"):
            for name in self.indices():  # by name: servers refuse to delete by pattern
                self._client.options(ignore_status=404).indices.delete(index=name)
        self._checkpoints.forget(self.number)

    def _put(
        self, records: Sequence[StoryRecord], version_type: Literal["external", "external_gte"]
    ) -> dict[str, str]:
        operations: list[Operation] = []
        rejected: dict[str, str] = {}
        for record in records:
            try:
                operation = Operation(
                    index=self._names.month(month_of(record), self.number),
                    id=record.article.id,
                    version=record.order,
                    version_type=version_type,
                    body=article_body(record),
                )
            except (ValueError, TypeError) as error:
                rejected[record.article.id] = str(error)[:MAX_REASON]
                continue
            operations.append(operation)
        for index in sorted({one.index for one in operations}):
            self.open_month(index)
        return rejected | self._bulk.write(operations)

    def _absorbed(self, links: Mapping[str, str]) -> Iterator[list[StoryRecord]]:
        """The records of the absorbed stories, in their surviving ones."""
        query = {"terms": {"story_id": [*links]}}
        for page in self._pages(query):
            records = [
                record_of(hit["fields"]["record"][0])
                for hit in page
                if self._names.number_of(hit["_index"]) == self.number
            ]
            yield [replace(one, story_id=links[one.story_id]) for one in records]

    def _delete(self, removed: Collection[str]) -> None:
        """Delete articles, in whatever month they lie."""
        for page in self._pages({"ids": {"values": [*removed]}}):
            self._bulk.write(
                [
                    Operation(
                        index=hit["_index"],
                        id=hit["_id"],
                        version=hit["_version"],
                        body=None,
                        version_type="external_gte",
                    )
                    for hit in page
                    if self._names.number_of(hit["_index"]) == self.number
                ]
            )

    def _pages(self, query: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
        """All hits of ``query`` as they are now, whatever is written meanwhile."""
        with translated(self._settings.url, "reading the articles of a story"):
            view = self._client.open_point_in_time(
                index=self._names.generation(self.number), keep_alive=_KEEP_ALIVE
            )["id"]
            try:
                after: Sequence[Any] | None = None
                while page := self._page(view, query, after):
                    yield page
                    after = page[-1]["sort"]
            finally:
                self._client.options(ignore_status=404).close_point_in_time(id=view)

    def _page(
        self, view: str, query: Mapping[str, Any], after: Sequence[Any] | None
    ) -> Sequence[Mapping[str, Any]]:
        found = self._client.search(
            pit={"id": view, "keep_alive": _KEEP_ALIVE},
            query=query,
            sort=["_shard_doc"],
            search_after=after,
            size=_PAGE,
            stored_fields=["record"],
            version=True,
            track_total_hits=False,
        )
        if found["timed_out"] or found["_shards"]["failed"]:
            raise UnavailableError(
                f"partial answer: {found['_shards']}",
                sentence="A part of the articles in Elasticsearch cannot be read now.",
                hint="wirewatch doctor shows its state.",
            )
        return list(found["hits"]["hits"])
