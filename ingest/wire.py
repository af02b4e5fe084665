"""The one wire form: JSON with a ``schema`` number, to and from frozen dataclasses.

Every record dataclass has a field ``schema: int = SCHEMA``. Times are RFC 3339 in UTC with
milliseconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import PlainSerializer, TypeAdapter, ValidationError

from ingest.errors import MalformedRecordError, NewerSchemaError

SCHEMA = 1
"""What this version writes. A reader stops at a higher number (promise of RECORDS)."""

RecordT = TypeVar("RecordT")


def format_time(moment: datetime) -> str:
    """``moment`` in RFC 3339, UTC, milliseconds: ``2026-11-22T14:36:43.120Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"


Time = Annotated[datetime, PlainSerializer(format_time, return_type=str, when_used="json")]
"""An aware UTC datetime that is written with milliseconds."""


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode(record: Any) -> bytes:
    """``record`` (a dataclass) as UTF-8 JSON."""
    return _adapter(type(record)).dump_json(record)


def as_json(record: Any) -> Any:
    """``record`` as plain lists, dicts, strings and numbers, for ``--json`` and API answers."""
    return _adapter(type(record)).dump_python(record, mode="json")


def decode(kind: type[RecordT], data: bytes) -> RecordT:
    """The ``kind`` that ``data`` holds.

    Raises:
        NewerSchemaError: ``data`` was written by a newer version.
        MalformedRecordError: ``data`` is not such a record.
    """
    try:
        record = _adapter(kind).validate_json(data)
    except ValidationError as error:
        _refuse_newer(kind, data)
        raise MalformedRecordError(
            f"not a {kind.__name__}: {error.error_count()} faults"
        ) from error
    if getattr(record, "schema", SCHEMA) > SCHEMA:
        _refuse_newer(kind, data)
    return record  # type: ignore[no-any-return]


def _refuse_newer(kind: type[Any], data: bytes) -> None:
    try:
        found = json.loads(data)
    except ValueError:
        return
    schema = found.get("schema", 0) if isinstance(found, dict) else 0
    if isinstance(schema, int) and schema > SCHEMA:
        raise NewerSchemaError(
            f"{kind.__name__} of schema {schema}, this version knows {SCHEMA}",
            sentence=f"This data was made by a newer Wirewatch (record schema {schema}).",
            hint="Upgrade Wirewatch on this machine, then start it again.",
        )
