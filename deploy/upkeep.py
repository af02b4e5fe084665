"""What an operator asks of a shell: replay, retry of what was set aside, alerts to watch."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from processors.erasures import Erasures
from processors.records import StoryRecord, Tagged
from search.alert_state import ALERT, TOPIC, Alert
from search.views import alert_row

ReplayStage = Literal["tag", "group"]
INPUTS: dict[ReplayStage, str] = {"tag": "articles", "group": "tagged"}
STAGE_TOPICS = {"tag": "articles", "group": "tagged", "index": "stories"}

BATCH = 200
"""Records an append: live news must not wait behind a long replay (it yields to lag)."""


def replayed(log: Log, stage: ReplayStage, *, since: datetime) -> Iterator[tuple[int, int]]:
    """Append a stage's input from ``since`` on again, with cause ``replay``; (done, total).

    What earlier replays appended is not multiplied: see ``_Sighted`` and ``_Effective``. It is
    met on the way only, so the total counts what may still come and shrinks to what was done.
    """
    places = [Partition(INPUTS[stage], n) for n in range(log.partitions(INPUTS[stage]))]
    spans = [(place, log.offset_at(place, since), log.bounds(place)[1]) for place in places]
    append = _Sighted(log).append if stage == "tag" else _Effective(log).append
    done, left = 0, sum(end - start for _, start, end in spans)
    yield done, left
    for place, start, end in spans:
        offset = start
        while offset < end and (records := log.read(place, offset, max_records=BATCH)):
            done += append([one for one in records if one.offset < end])
            left -= min(end, records[-1].offset + 1) - offset
            offset = records[-1].offset + 1
            yield done, done + left
    yield done, done


class _Sighted:
    """Every sighting but the echoes of earlier replays: what they repeat is in the log itself."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._erasures = Erasures(log)

    def append(self, records: Sequence[Record]) -> int:
        """Append what is to be tagged again of ``records``; how many."""
        self._erasures.read()
        read = [(one, decode(Sighting, one.value or b"")) for one in records]
        again = [
            _again(one, encode(replace(sighting, cause="replay")))
            for one, sighting in read
            if sighting.cause != "replay" and self._erasures.of(sighting.article) is None
        ]
        return len(self._log.append(again)) if again else 0


class _Effective:
    """Chooses of ``tagged`` what stands or may yet stand in ``stories``.

    A record older than the one an article's story was written from is superseded: it would bring
    its topics of then back. An echo that changed nothing repeats one that is chosen. One that
    waits for the register supersedes what is before it, as it will once it is decided on. What
    this replay itself appended supersedes nothing: an article's later texts still follow.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._erasures = Erasures(log)
        self._own: set[int] = set()
        self._waiting: dict[str, int] = {}
        place = Partition(INPUTS["group"])
        self._next = max(log.bounds(place)[0], log.committed("register", place) or 0)

    def append(self, records: Sequence[Record]) -> int:
        """Append what is to be decided on again of ``records``; how many."""
        self._erasures.read()
        self._read_on()
        orders = self._orders({one.key for one in records})
        again = []
        for one in records:
            if one.value is None:
                continue
            tagged = decode(Tagged, one.value)
            if self._erasures.of(tagged.article):
                continue
            order = max(orders.get(one.key, -1), self._waiting.get(one.key, -1))
            if one.offset == order or (one.offset > order and tagged.cause != "replay"):
                again.append(_again(one, encode(replace(tagged, cause="replay"))))
        offsets = self._log.append(again) if again else []
        self._own.update(offsets)
        return len(offsets)

    def _orders(self, keys: Collection[str]) -> dict[str, int]:
        """By key, the offset of the record that the article's story was written from."""
        stories = self._log.table("stories").many(keys).values()
        read = [decode(StoryRecord, one.value) for one in stories if one.value is not None]
        return {one.article.id: one.order for one in read if one.order not in self._own}

    def _read_on(self) -> None:
        """Note the echoes of earlier replays that the register has not decided on."""
        place = Partition(INPUTS["group"])
        while records := self._log.read(place, self._next, max_records=BATCH):
            for one in records:
                if one.offset in self._own or one.value is None:
                    continue
                if decode(Tagged, one.value).cause == "replay":
                    self._waiting[one.key] = one.offset
            self._next = records[-1].offset + 1


def _again(record: Record, value: bytes) -> NewRecord:
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


def alert_cursor(log: Log) -> dict[Partition, int]:
    """The end of what has been alerted so far."""
    places = [Partition(TOPIC, number) for number in range(log.partitions(TOPIC))]
    return {place: log.bounds(place)[1] for place in places}


def alerts_after(
    log: Log, cursor: Mapping[Partition, int]
) -> tuple[list[dict[str, Any]], dict[Partition, int]]:
    """Alerts claimed from ``cursor`` on, once each, and where to go on."""
    rows, after = [], dict(cursor)
    for place, offset in cursor.items():
        for record in log.read(place, offset):
            after[place] = record.offset + 1
            if record.key.startswith(ALERT) and record.value is not None:
                alert = decode(Alert, record.value)
                if not alert.attempts:
                    rows.append(alert_row(alert))
    return rows, after
