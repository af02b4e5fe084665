"""What a stage makes of one record; where it can make nothing, the row of its quarantine."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import PurePath

import structlog

from ingest.errors import (
    NewerSchemaError,
    RecordTooLargeError,
    UnavailableError,
    WirewatchError,
)
from ingest.log import MAX_RECORD_BYTES, NewRecord, Record
from ingest.quarantine import Quarantine

_events = structlog.get_logger(__name__)


class Work:
    """Does ``work`` on records; one that cannot be processed stops nobody. For one thread.

    Attributes:
        quarantined: Records set aside so far.
    """

    def __init__(
        self,
        stage: str,
        work: Callable[[Record], Sequence[NewRecord]],
        *,
        quarantine: Quarantine,
    ) -> None:
        self._stage = stage
        self._work = work
        self._quarantine = quarantine
        self.quarantined = 0

    def made(self, record: Record) -> Sequence[NewRecord]:
        """What ``record`` leads to, to be appended: what ``work`` gives, or a quarantine row.

        Raises:
            NewerSchemaError: it was made by a newer version; the stage must stop.
            UnavailableError: a store or the tagging process cannot serve now.
        """
        try:
            made = self._work(record)
            for one in made:
                _check_size(one)
        except (NewerSchemaError, UnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not stop the stage (P4)
            return self._set_aside(record, error)
        return made

    def _set_aside(self, record: Record, error: Exception) -> list[NewRecord]:
        why, code = _explained(error)
        _events.error("record set aside", stage=self._stage, key=record.key, reason=why)
        aside = self._quarantine.put(
            self._stage,
            why=why,
            code=code,
            key=record.key,
            body=record.value or b"",
            now=record.appended,
            topic=record.partition.topic,
        )
        self.quarantined += aside is not None
        return [aside] if aside else []


def _check_size(record: NewRecord) -> None:
    size = len(record.key.encode()) + len(record.value or b"")
    if size > MAX_RECORD_BYTES:
        raise RecordTooLargeError(f"{record.topic} record of {size} bytes")


def _explained(error: Exception) -> tuple[str, str]:
    """A sentence and a code; of an error of ours in the code, where it happened."""
    if isinstance(error, WirewatchError):
        return error.sentence, error.code
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(place.filename).name}:{place.lineno}"
    kind = type(error).__name__
    return f"Processing failed unexpectedly in {where} ({kind}: {error}).", "unexpected"
