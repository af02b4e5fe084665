"""What Elasticsearch's answer says of one document: taken, refused for good, or later. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from ingest.errors import ForeignStoreError
from search.elastic_errors import BLOCK, BUSY, FORBIDDEN, fault_of, forbidden

MAX_REASON = 500
"""Characters of a reason that are kept: the server repeats the value that it refuses."""

_CLOSED = "index_closed_exception"
_MISSING = "index_not_found_exception"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is empty where the document was taken, or is there in this version or newer."""

    outcome: Literal["taken", "refused", "later"]
    reason: str = ""


TAKEN = Verdict("taken")


def verdict_of(item: Mapping[str, Any], url: str) -> Verdict:
    """What became of the document of ``item``, a part of a bulk's answer.

    Raises:
        ForeignStoreError: its index is not there.
        StoreError: Elasticsearch does not let us write there.
    """
    status = int(item.get("status", HTTPStatus.INTERNAL_SERVER_ERROR))
    kind, reason = fault_of(item)
    told = f"{kind}: {reason}"[:MAX_REASON]
    if not kind and not reason:
        return TAKEN  # also a deletion of what is not there, with its 404
    if status == HTTPStatus.CONFLICT:
        return TAKEN
    if kind == _MISSING:
        raise missing(str(item.get("_index", "")))
    if kind in (BLOCK, _CLOSED) or status in BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict("later", told)
    if status in FORBIDDEN:
        raise forbidden(url, told, status=status, reason=reason)
    return Verdict("refused", told)


def missing(index: str) -> ForeignStoreError:
    """An index of ours that was filled is not there any more."""
    return ForeignStoreError(
        f"no index {index}",
        sentence=f"The index {index} is gone. It is not the index that the checkpoint names; "
        "rebuild or restore.",
        hint="Restore it, or build the index anew from the log: wirewatch reindex",
    )
