"""Alerts whose state changes without a delivery: brought by a digest, or of a muted story."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import replace

import structlog

from ingest.errors import FencedError, UnavailableError
from ingest.log import Log
from ingest.wire import decode
from search.alert_state import ALERT, TOPIC, Alert
from search.deliveries import muted
from search.erased_alerts import ErasedAlerts
from search.held import Held
from search.outcomes import RETRY_SECONDS, Outcomes, alert_record, stored_alerts
from search.ownership import Ownership

AT_ONCE = 500
"""Members written in one append."""

_events = structlog.get_logger(__name__)


class Rewrites:
    """Writes such states, where the shard is ours; elsewhere its owner does. For one event loop."""

    def __init__(
        self,
        log: Log,
        outcomes: Outcomes,
        held: Held,
        *,
        shards: Ownership,
        crash_point: Callable[[str], None],
    ) -> None:
        self._log = log
        self._outcomes = outcomes
        self._held = held
        self._shards = shards
        self._crash_point = crash_point
        self._erased = ErasedAlerts(log, shards)

    async def mark(self, digest: Alert) -> None:
        """Note on each member of a digest that is over what became of it."""
        for first in range(0, len(digest.members), AT_ONCE):
            since = dict(self._shards.held())
            stored = await self._stored(digest.members[first : first + AT_ONCE])
            said = [
                (replace(one, state=digest.state, digest=digest.alert_id, next_attempt=None), shard)
                for one, shard in stored
                if (one.state, one.digest) != (digest.state, digest.alert_id)
            ]
            await self._write(said, since)
            self._crash_point("marking")
        self._held.unbind(digest.members)

    async def mute(
        self, subscription_id: str, stories: Collection[str], *, under_way: Container[str]
    ) -> None:
        """Mute what waits or is held of ``stories``, but what is ``under_way`` or in a digest.

        Raises:
            UnavailableError: the log cannot be read now.
        """
        since = dict(self._shards.held())
        found = await asyncio.to_thread(self._open, subscription_id, stories)
        wanted = [
            (muted(one), shard)
            for one, shard in found
            if one.alert_id not in under_way and not self._held.digest_of(one.alert_id)
        ]
        self._held.remove([one.alert_id for one, _ in wanted], subscription=subscription_id)
        await self._write(wanted, since)

    async def erase(self, *, again: bool) -> list[str]:
        """Write alerts without the articles that were erased since the last call; their ids.

        ``again``: look through all alerts for all that is being erased.

        Raises:
            UnavailableError: the log cannot be read now; the next call does it.
        """
        found = await asyncio.to_thread(self._erased.read, again=again)
        self._outcomes.erased = self._erased.articles
        for first in range(0, len(found), AT_ONCE):
            since = dict(self._shards.held())
            stored = await self._stored(found[first : first + AT_ONCE])
            for one, _ in stored:
                if one.article_id in self._erased.articles:
                    self._held.remove([one.alert_id], subscription=one.subscription)
            await self._write(stored, since)
        return found

    async def _write(self, alerts: Sequence[tuple[Alert, int]], since: dict[int, int]) -> None:
        try:
            if alerts:
                said = [alert_record(one, shard) for one, shard in alerts]
                await self._outcomes.write(said, since=since)
        except FencedError as error:
            _events.info("left to the shard's owner", reason=error.sentence)

    async def _stored(self, alert_ids: Sequence[str]) -> list[tuple[Alert, int]]:
        while True:
            try:
                return await asyncio.to_thread(stored_alerts, self._log, alert_ids)
            except UnavailableError as error:
                _events.warning("outcome waits", reason=error.sentence)
                await asyncio.sleep(RETRY_SECONDS)

    def _open(self, subscription_id: str, stories: Collection[str]) -> list[tuple[Alert, int]]:
        """Looked for among all alerts: few ask for it."""
        found = [
            (decode(Alert, record.value), record.partition.number)
            for record in self._log.table(TOPIC).items(ALERT)
            if record.value is not None and subscription_id.encode() in record.value
        ]
        return [
            (one, shard)
            for one, shard in found
            if one.subscription == subscription_id
            and one.state in ("waiting", "held")
            and one.story_id in stories
        ]
