"""What became of alerts, written by whoever delivers, where their shards are still its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from ingest.errors import FencedError, UnavailableError
from ingest.log import Log, NewRecord
from ingest.wire import decode, encode
from search.alert_state import ALERT, TOPIC, Alert, mute_key
from search.erased_alerts import emptied
from search.last_words import LastWords
from search.ownership import Ownership

RETRY_SECONDS = 1.0
"""While the log is away or full: what was acknowledged is not sent again, its outcome waits."""

_events = structlog.get_logger(__name__)


class Outcomes:
    """The only writer of outcomes. For one event loop.

    Attributes:
        erased: Articles of which no word is written.
    """

    def __init__(self, log: Log, shards: Ownership, *, clock: Callable[[], datetime]) -> None:
        self.erased: Collection[str] = frozenset()
        self._log = log
        self._shards = shards
        self._clock = clock
        self._words = LastWords(shards)

    async def write(
        self,
        said: Sequence[NewRecord],
        *,
        since: Mapping[int, int],
        besides: Sequence[NewRecord] = (),
    ) -> set[str]:
        """Write ``said`` of shards that are ours ``since`` a generation; the keys written.

        ``besides`` belong to no shard. Waits while the log is away.

        Raises:
            FencedError: none of it is ours any more.
        """
        said = [self._without_erased(one) for one in said]
        self._words.writing(said)
        try:
            while ours := [one for one in said if self._is_ours(one, since)]:
                try:
                    offsets = await self.append([*ours, *besides])
                except UnavailableError as error:
                    _events.warning("outcome waits", reason=error.sentence)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                self._words.written(ours, offsets[: len(ours)])
                return {one.key for one in ours}
        finally:
            self._words.written(said, ())
        raise FencedError(f"{said[0].key} is not ours any more")

    def muted(self, alerts: Sequence[Alert]) -> set[str]:
        """Which of ``alerts`` are of stories muted since they were claimed, by id.

        Raises:
            UnavailableError: the log cannot be read now.
        """
        keys = {one.alert_id: mute_key(one.subscription, one.story_id) for one in alerts}
        found = self._log.table(TOPIC).many(set(keys.values()))
        return {alert_id for alert_id, key in keys.items() if key in found}

    async def append(self, records: Sequence[NewRecord]) -> list[int]:
        """The offsets of ``records``. Raises UnavailableError."""
        return await asyncio.wrap_future(self._log.submit(records))

    async def say_again(self) -> None:
        """Write outcomes again that an earlier owner's late word hides.

        Raises:
            UnavailableError: the log cannot be read or written now.
        """
        if keys := self._words.keys():
            stored = await asyncio.to_thread(self._log.table(TOPIC).many, keys)
            for said in self._words.overtaken(stored):
                _events.info("said again", key=said.key)
                self._words.writing([said])
                self._words.written([said], await self.append([said]))

    def _without_erased(self, record: NewRecord) -> NewRecord:
        value = record.value or b""
        if record.key.startswith(ALERT) and any(one.encode() in value for one in self.erased):
            alert = emptied(decode(Alert, value), self.erased, now=self._clock())
            return replace(record, value=encode(alert))
        return record

    def _is_ours(self, record: NewRecord, since: Mapping[int, int]) -> bool:
        shard = record.partition or 0
        return self._shards.holds(shard, since.get(shard, -1))


def alert_record(alert: Alert, shard: int) -> NewRecord:
    """The record of ``alert`` in ``shard``."""
    key, value = ALERT + alert.alert_id, encode(alert)
    return NewRecord(topic=TOPIC, key=key, value=value, partition=shard)


def stored_alerts(log: Log, alert_ids: Sequence[str]) -> list[tuple[Alert, int]]:
    """Alerts as the log has them, each with its shard. Raises UnavailableError."""
    found = log.table(TOPIC).many([ALERT + one for one in alert_ids])
    return [
        (decode(Alert, record.value), record.partition.number)
        for record in found.values()
        if record.value is not None
    ]
