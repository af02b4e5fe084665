"""What Elasticsearch holds of the log, kept beside the articles in an index of its own.

Its documents: ``in-force`` names the generation that is searched; ``generation-N`` says of which
cluster and fields a generation is and which indices it has, by their ids; ``checkpoint-N-P`` how
far partition P of ``stories`` was read into it. A checkpoint belongs to its generation, so one
that a late worker stores says nothing of the indices that replaced his.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from ingest.errors import FencedError
from ingest.wire import format_time
from search.elastic_errors import is_elasticsearch, translated
from search.elastic_names import Names
from search.elastic_settings import ElasticSettings
from search.index import Checkpoint

_IN_FORCE = "in-force"
_MAX_DOCUMENTS = 10_000  # a thousand generations of ten partitions; all but two are deleted
_TRIES = 10  # of a document that several workers complete at once


@dataclass(frozen=True, slots=True)
class InForce:
    """The generation that is searched, and the state of the document that says so."""

    number: int
    sequence: int
    term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a generation was made of.

    Attributes:
        fields: Version of the mapping.
        touched: When its making went on last.
        indices: Name to id.
    """

    number: int
    cluster: str
    fields: int
    touched: datetime
    indices: Mapping[str, str]


class Checkpoints:
    """Reads and writes these documents. Only what is not there is None; all else raises."""

    def __init__(self, client: Elasticsearch, settings: ElasticSettings) -> None:
        self._client = client
        self._url = settings.url
        self._index = Names(settings.prefix).checkpoints

    def in_force(self) -> InForce | None:
        """The generation that is searched."""
        found = self._get(_IN_FORCE)
        if found is None:
            return None
        number = int(found["_source"]["generation"])
        return InForce(number, found["_seq_no"], found["_primary_term"])

    def put_in_force(self, number: int, *, instead_of: InForce | None) -> None:
        """Let ``number`` be searched from now on, at once or not at all.

        Raises:
            FencedError: somebody else did it, for another one.
        """
        if instead_of is None:
            state: dict[str, Any] = {"op_type": "create"}
        else:
            state = {"if_seq_no": instead_of.sequence, "if_primary_term": instead_of.term}
        document = {"kind": _IN_FORCE, "generation": number}
        self._put(_IN_FORCE, document, f"generation {number} comes too late", **state)

    def made(self, number: int) -> Made | None:
        """What generation ``number`` was made of."""
        found = self._get(f"generation-{number}")
        return None if found is None else _made(found["_source"])

    def all_made(self) -> list[Made]:
        """All generations there are."""
        return [*map(_made, self._find({"term": {"kind": "generation"}}))]

    def add(self, number: int, *, cluster: str, fields: int) -> None:
        """Begin generation ``number``. Raises FencedError where it has begun already."""
        document = {
            "kind": "generation",
            "generation": number,
            "cluster": cluster,
            "fields": fields,
            "touched": format_time(datetime.now(UTC)),
            "indices": {},
        }
        what = f"generation {number} has begun already"
        self._put(f"generation-{number}", document, what, op_type="create")

    def touch(self, number: int, indices: Mapping[str, str] | None = None) -> None:
        """Note that generation ``number`` goes on, and the ``indices`` it has got."""
        change = {"touched": format_time(datetime.now(UTC)), "indices": dict(indices or {})}
        with translated(self._url, "noting an index"):
            try:
                self._client.update(
                    index=self._index,
                    id=f"generation-{number}",
                    doc=change,  # merged by the server: what others noted stays
                    retry_on_conflict=_TRIES,
                )
            except NotFoundError as error:
                if not is_elasticsearch(error):
                    raise
                raise fenced(f"generation {number} was discarded") from error

    def forget(self, number: int) -> None:
        """Delete all that is known of generation ``number``."""
        query = {"term": {"generation": number}}
        names = [key for key in self._ids(query) if key != _IN_FORCE]
        with translated(self._url, "deleting checkpoints"):
            for name in names:
                self._client.options(ignore_status=404).delete(index=self._index, id=name)

    def store(self, number: int, checkpoint: Checkpoint) -> None:
        """Store the partitions that ``checkpoint`` names; others stay.

        Raises:
            FencedError: another worker has gone further in one of them.
        """
        for partition, offset in checkpoint.stories.items():
            document = {
                "kind": "checkpoint",
                "generation": number,
                "log": checkpoint.log,
                "partition": partition,
                "stories": offset,
                "links": checkpoint.links,
                "rebuilt": checkpoint.rebuilt,
            }
            self._put(
                f"checkpoint-{number}-{partition}",
                document,
                f"partition {partition} was read beyond {offset}",
                version=offset,
                version_type="external_gte",
            )

    def read(self, number: int) -> Checkpoint | None:
        """All partitions of generation ``number`` together."""
        query = {"term": {"generation": number}}
        found = [one for one in self._find(query) if one["kind"] == "checkpoint"]
        if not found:
            return None
        return Checkpoint(
            log=found[0]["log"],
            stories={one["partition"]: one["stories"] for one in found},
            links=min(one["links"] for one in found),
            rebuilt=any(one["rebuilt"] for one in found),
        )

    def _get(self, name: str) -> Mapping[str, Any] | None:
        with translated(self._url, "reading the checkpoint"):
            try:
                return dict(self._client.get(index=self._index, id=name))
            except NotFoundError as error:
                if not is_elasticsearch(error):
                    raise
                return None

    def _put(self, name: str, document: Mapping[str, Any], conflict: str, **state: Any) -> None:
        with translated(self._url, "storing the checkpoint"):
            try:
                self._client.index(index=self._index, id=name, document=document, **state)
            except ConflictError as error:
                raise fenced(conflict) from error

    def _ids(self, query: Mapping[str, Any]) -> list[str]:
        return [hit["_id"] for hit in self._hits(query)]

    def _find(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [hit["_source"] for hit in self._hits(query)]

    def _hits(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        with translated(self._url, "reading the checkpoints"):
            try:
                self._client.indices.refresh(index=self._index)
                found = self._client.search(index=self._index, query=query, size=_MAX_DOCUMENTS)
            except NotFoundError as error:
                if not is_elasticsearch(error):
                    raise
                return []
        return list(found["hits"]["hits"])


def fenced(message: str) -> FencedError:
    """Another worker has taken over."""
    return FencedError(
        message,
        sentence="Another worker has taken over this part of the index.",
        hint="Nothing is lost: reading goes on from the stored checkpoint.",
    )


def _made(source: Mapping[str, Any]) -> Made:
    return Made(
        number=source["generation"],
        cluster=source["cluster"],
        fields=source["fields"],
        touched=datetime.fromisoformat(source["touched"]),
        indices=source["indices"],
    )
