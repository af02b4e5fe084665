"""What an operator asks of a shell: replay, retry of what was set aside, alerts to watch."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ingest.article import Sighting
from ingest.errors import FileError, UnavailableError, UsageError
from ingest.feed_check import CheckReport, FeedCheck
from ingest.log import Log, NewRecord, Partition, Record
from ingest.poll import Polling
from ingest.quarantine import Quarantine
from ingest.wire import as_json, decode, encode
from processors.records import Tagged
from search.alert_state import ALERT, TOPIC, Alert
from search.views import alert_row

ReplayStage = Literal["tag", "group"]
INPUTS: dict[ReplayStage, str] = {"tag": "articles", "group": "tagged"}
STAGE_TOPICS = {"tag": "articles", "group": "tagged", "index": "stories"}

BATCH = 200
"""Records an append: live news must not wait behind a long replay (it yields to lag)."""


def replayed(log: Log, stage: ReplayStage, *, since: datetime) -> Iterator[tuple[int, int]]:
    """Append a stage's input from ``since`` on again, with cause ``replay``; (done, total)."""
    place = Partition(INPUTS[stage])
    start, end = log.offset_at(place, since), log.bounds(place)[1]
    offset = start
    yield 0, end - start
    while offset < end:
        records = [one for one in log.read(place, offset, max_records=BATCH) if one.offset < end]
        if not records:
            break
        log.append([_again(stage, one) for one in records])
        offset = records[-1].offset + 1
        yield offset - start, end - start
    yield end - start, end - start


def _again(stage: ReplayStage, record: Record) -> NewRecord:
    data = record.value or b""
    value = (
        encode(replace(decode(Sighting, data), cause="replay"))
        if stage == "tag"
        else encode(replace(decode(Tagged, data), cause="replay"))
    )
    return NewRecord(
        topic=record.partition.topic,
        key=record.key,
        value=value,
        partition=record.partition.number,
    )


def quarantined(quarantine: Quarantine, row_id: str) -> dict[str, Any]:
    """One row with its bytes in base64. Raises NotFoundError."""
    shown: dict[str, Any] = as_json(quarantine.get(row_id))
    return {**shown, "bytes": base64.b64encode(quarantine.bytes_of(row_id)).decode()}


def retried(log: Log, quarantine: Quarantine, row_id: str) -> str:
    """Hand a set-aside record to its stage again; the sentence that says so.

    Raises:
        NotFoundError: there is no such row.
        UsageError: its stage reads no topic; a feed is polled again instead.
    """
    row = quarantine.get(row_id)
    topic = row.topic or STAGE_TOPICS.get(row.stage, "")
    if not topic:
        raise UsageError(f"{row.stage} has no records to go through again")
    log.append([NewRecord(topic=topic, key=row.key, value=quarantine.bytes_of(row_id))])
    quarantine.mark_retried(row_id)
    return f"The record of {row.key} goes through {row.stage} again."


async def checked(polling: Polling, *, url: str, file: Path | None) -> CheckReport:
    """What a poll of a URL or a file would do. Raises UsageError where it can be no feed."""
    check = FeedCheck(
        fetcher=polling.fetcher,
        slots=polling.slots,
        sandboxes=polling.sandboxes,
        settings=polling.settings,
    )
    now = polling.clock()
    if file is None:
        return await check.address(url, now=now)
    try:
        body = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise FileError(
            f"cannot read {file}: {error.strerror}", hint="Give a URL, or a file that is there."
        ) from error
    return await check.body(body, now=now)


def not_running(sentence: str) -> UnavailableError:
    """The error of what only a running process can do."""
    return UnavailableError(
        f"{sentence} Nothing runs on this data folder.",
        hint="Start it in another terminal: wirewatch run",
        code="not-running",
    )


def alert_cursor(log: Log) -> int:
    """The end of what has been alerted so far."""
    return log.bounds(Partition(TOPIC))[1]


def alerts_after(log: Log, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Alerts claimed from ``offset`` on, once each, and where to go on."""
    records = log.read(Partition(TOPIC), offset)
    rows = []
    for record in records:
        if record.key.startswith(ALERT) and record.value is not None:
            alert = decode(Alert, record.value)
            if not alert.attempts:
                rows.append(alert_row(alert))
    return rows, records[-1].offset + 1 if records else offset
