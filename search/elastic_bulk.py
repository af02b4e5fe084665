"""Many documents in few requests: what is refused, what is to be sent again, and how soon.

The client's own loop gives up at the first busy answer, or repeats at once; this one sends again
only what was not taken, in smaller pieces and more slowly, and blames a document only for what
is the document's fault. Ids and versions make every repetition safe.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from search.elastic_client import check, patient
from search.elastic_errors import BUSY, refusing, said, store_error
from search.elastic_operation import Operation
from search.elastic_pace import Pace
from search.elastic_schema import refusal_of_key
from search.elastic_settings import ElasticSettings
from search.elastic_triage import MAX_REASON, Verdict, verdict_of

_SPLIT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
_DOING = "writing"


@dataclass(frozen=True, slots=True)
class _Line:
    """An operation as it is sent."""

    id: str
    parts: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, self.parts)) + len(self.parts)


class Bulk:
    """Writes to Elasticsearch. For one thread."""

    def __init__(
        self, client: Elasticsearch, settings: ElasticSettings, *, pace: Pace | None = None
    ) -> None:
        self._client = patient(client, settings)
        self._timeout = f"{round(settings.write_seconds * 500)}ms"  # it gives up before we do
        self._url = settings.url
        self._pace = pace or Pace()

    def write(self, operations: Sequence[Operation]) -> dict[str, str]:
        """Write all, durably; ids of those refused for good, with the reason.

        Raises:
            UnavailableError: not all was taken; the same call may succeed later.
            ForeignStoreError: an index is not there.
            StoreError: Elasticsearch does not let us write, or is none.
        """
        lines: deque[_Line] = deque()
        refused: dict[str, str] = {}
        for one in operations:
            try:
                lines.append(_line(one))
            except (ValueError, TypeError) as error:
                refused[one.id] = str(error)[:MAX_REASON]
        while lines:
            self._pace.wait()
            chunk = self._chunk(lines)
            verdicts = self._sent(chunk)
            later = [
                line for line, one in zip(chunk, verdicts, strict=True) if one.outcome == "later"
            ]
            lines.extendleft(reversed(later))
            refused |= {
                line.id: one.reason
                for line, one in zip(chunk, verdicts, strict=True)
                if one.outcome == "refused"
            }
            if not later:
                self._pace.faster()
        return refused

    def _chunk(self, lines: deque[_Line]) -> list[_Line]:
        """The next of ``lines``, taken out: at least one."""
        chunk = [lines.popleft()]
        size = chunk[0].size
        while lines and len(chunk) < self._pace.max_operations:
            size += lines[0].size
            if size > self._pace.max_bytes:
                break
            chunk.append(lines.popleft())
        return chunk

    def _sent(self, chunk: Sequence[_Line]) -> Sequence[Verdict]:
        """What becomes of each of ``chunk``."""
        try:
            answer = self._client.bulk(operations=_parts(chunk), timeout=self._timeout)
        except ApiError as error:
            return self._failed(chunk, error)
        except TransportError as error:
            self._pace.smaller()  # what took too long may be less next time
            raise store_error(error, self._url, _DOING) from error
        found = answer.body.get("items", ()) if isinstance(answer.body, Mapping) else ()
        items = [one for item in found for one in item.values()]
        if len(items) != len(chunk):
            return self._later(chunk, f"{len(items)} answers to {len(chunk)} documents")
        verdicts = [verdict_of(item, self._url) for item in items]
        reasons = [one.reason for one in verdicts if one.outcome == "later"]
        if reasons:
            self._pace.slower(refusing(self._url, reasons[0]))
        return verdicts

    def _failed(self, chunk: Sequence[_Line], error: ApiError) -> Sequence[Verdict]:
        """The request as a whole was refused."""
        kind, reason = said(error)
        told = f"{kind}: {reason}"[:MAX_REASON]
        if error.meta.status in BUSY:
            return self._later(chunk, told, retry_after=error.meta.headers.get("retry-after") or "")
        if error.meta.status not in _SPLIT:
            raise store_error(error, self._url, _DOING) from error
        check(self._client, self._url)  # else one that refuses everything would blame each document
        if len(chunk) == 1:
            return [Verdict("refused", told)]
        middle = len(chunk) // 2
        return [*self._sent(chunk[:middle]), *self._sent(chunk[middle:])]

    def _later(
        self, chunk: Sequence[_Line], reason: str, *, retry_after: str = ""
    ) -> Sequence[Verdict]:
        self._pace.slower(refusing(self._url, reason), retry_after=retry_after)
        return [Verdict("later", reason)] * len(chunk)


def _line(one: Operation) -> _Line:
    """``one`` as it is sent.

    Raises:
        ValueError, TypeError: it cannot be.
    """
    reason = refusal_of_key(one.id, one.version)
    if reason:
        raise ValueError(reason)
    place = {
        "_index": one.index,
        "_id": one.id,
        "version": one.version,
        "version_type": one.version_type,
    }
    if one.body is None:
        return _Line(one.id, (_encoded({"delete": place}),))
    return _Line(one.id, (_encoded({"index": place}), _encoded(one.body)))


def _parts(chunk: Sequence[_Line]) -> Sequence[Any]:
    """What is sent; Any, since the client takes encoded lines, but its types know only objects."""
    return [part for line in chunk for part in line.parts]


def _encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
