"""Another attempt for one alert, because somebody asked for it."""

from __future__ import annotations

import asyncio

from ingest.errors import NotFoundError, UsageError
from ingest.log import Log
from ingest.wire import decode
from search.alert_state import ALERT, TOPIC, Alert
from search.erased_alerts import refuse_to_repeat
from search.gathering import Gathering
from search.rounds import Rounds
from search.turns import Turns


class Retries:
    """Attempts out of turn. For one event loop."""

    def __init__(self, log: Log, *, rounds: Rounds, turns: Turns, gathering: Gathering) -> None:
        self._log = log
        self._rounds = rounds
        self._turns = turns
        self._gathering = gathering

    async def retry(self, alert_id: str) -> str:
        """As ``Sender.retry``; one that is held goes by itself."""
        record = await asyncio.to_thread(self._log.table(TOPIC).get, ALERT + alert_id)
        if record is None:
            raise NotFoundError(f"there is no alert {alert_id}", hint="See: wirewatch alerts list")
        alert = decode(Alert, record.value or b"")
        refuse_to_repeat(alert)
        if digest := self._gathering.held.digest_of(alert_id) or alert.digest:
            return await self.retry(digest)
        if alert_id in self._rounds:
            raise UsageError(f"alert {alert_id} is being delivered just now", code="under-way")
        if alert.state == "held":
            await self._gathering.let_go(alert, shard=record.partition.number)
        try:
            begun = await self._rounds.begin([alert_id], again=True)
            await self._turns.mark(begun.over)
            targets = begun.targets.get(alert_id, ())
            attempts = (self._turns.attempt(one, alert_id, forced=True) for one in targets)
            await asyncio.gather(*attempts)
        except BaseException as error:
            # A round that nobody ends would refuse every further attempt, and what is held no
            # longer would wait for the next start.
            self._turns.again_later([alert_id], error)
            raise
        return alert_id
