"""Alerts of the log as server-sent events, and the places in the log that are their ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ingest.log import Log, Partition, Record
from ingest.wire import decode
from search.alert_state import ALERT, TOPIC, Alert
from search.views import alert_row

MAX_BEHIND = 20_000
"""Records that are read again for one who resumes; who is further behind begins anew."""

RETRY_MS = 2_000
"""When a browser that lost the connection comes again."""

_PAGE = 500
_ID = re.compile(r"[0-9]{1,15}(?:-[0-9]{1,15})*", re.ASCII)

Place = tuple[int, ...]
"""The next offset of each partition of ``alert-state``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as it is sent. ``owner``: whose alert it is; empty where it is no alert."""

    owner: str
    text: bytes


class LiveLog:
    """What streams read of the log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @cached_property
    def _alerts(self) -> list[Partition]:
        return [Partition(TOPIC, number) for number in range(self._log.partitions(TOPIC))]

    @cached_property
    def _stories(self) -> list[Partition]:
        return [Partition("stories", one) for one in range(self._log.partitions("stories"))]

    def end(self) -> Place:
        """Where the log ends now. Raises UnavailableError."""
        ends = self._log.ends(self._alerts)
        return tuple(ends[one] for one in self._alerts)

    def stories(self) -> int:
        """Records of articles written so far, revisions and changed links included."""
        return sum(self._log.ends(self._stories).values())

    def begin(self, last_event_id: str) -> tuple[Place, bool]:
        """Where a stream goes on behind an event, and whether it has to begin anew."""
        end = self.end()
        if not last_event_id:
            return end, False
        place = _place(last_event_id)
        if place is None or len(place) != len(end):
            return end, True
        behind = [last - mine for mine, last in zip(place, end, strict=True)]
        if min(behind) < 0 or sum(behind) > MAX_BEHIND:
            return end, True
        return place, False

    def between(self, start: Place, end: Place) -> tuple[Event, ...]:
        """The alerts that changed from ``start`` on, before ``end``, in the order of the log."""
        found: list[Event] = []
        now = list(start)
        for number, stop in enumerate(end):
            for record in self._records(self._alerts[number], start[number], stop):
                now[number] = record.offset + 1
                if record.key.startswith(ALERT) and record.value is not None:
                    found.append(_event(decode(Alert, record.value), tuple(now)))
        return tuple(found)

    def _records(self, partition: Partition, start: int, end: int) -> Iterator[Record]:
        while start < end:
            records = self._log.read(partition, start, max_records=_PAGE)
            yield from (one for one in records if one.offset < end)
            if not records:
                return
            start = records[-1].offset + 1


def hello(place: Place, *, is_anew: bool) -> bytes:
    """The first words of a stream: from where on it tells, and whether something is missing."""
    words = f"retry: {RETRY_MS}\nid: {_id(place)}\n"
    if is_anew:
        words += 'event: reset\ndata: {"sentence": "Read the list of alerts again."}\n'
    return f"{words}\n".encode()


def heartbeat(place: Place) -> bytes:
    """A comment, and how far the stream has come: whoever hears little resumes from there."""
    return f":\nid: {_id(place)}\n\n".encode()


def story_event(count: int) -> Event:
    """The word of ``count`` records written for articles."""
    return Event(owner="", text=f'event: story\ndata: {{"new": {count}}}\n\n'.encode())


def _event(alert: Alert, place: Place) -> Event:
    data = json.dumps(alert_row(alert), ensure_ascii=False)  # has no line break: they are escaped
    text = f"id: {_id(place)}\nevent: alert\ndata: {data}\n\n"
    return Event(owner=alert.owner, text=text.encode())


def _id(place: Place) -> str:
    return "-".join(map(str, place))


def _place(last_event_id: str) -> Place | None:
    if not _ID.fullmatch(last_event_id):
        return None
    return tuple(int(one) for one in last_event_id.split("-"))
