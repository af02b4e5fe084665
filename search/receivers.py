"""Whom we deliver to: the way there, the queue before each, and how each one does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from ingest.log import Log
from search.alert_settings import AlertSettings
from search.channels import Channels, Delivery
from search.deliveries import Outcome, health
from search.lanes import Lane, Lanes
from search.subscriptions import redacted

_events = structlog.get_logger(__name__)


class Receivers:
    """Every receiver with its lane. For one event loop."""

    def __init__(
        self,
        log: Log,
        channels: Channels,
        *,
        settings: AlertSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._channels = channels
        self._lanes = Lanes(log, in_flight_per_host=settings.in_flight_per_host)
        self._settings = settings
        self._clock = clock

    async def lane(self, target: str) -> Lane:
        """The lane of ``target``. Raises UnavailableError."""
        return await self._lanes.get(target)

    def lanes(self) -> list[Lane]:
        """Every lane so far."""
        return self._lanes.all()

    async def deliver(self, delivery: Delivery) -> Outcome:
        """What came of one attempt; never raises."""
        try:
            return await self._channels.deliver(delivery)
        except Exception as error:  # noqa: BLE001 - listed as failed, others go on (P2, P4)
            _events.error("delivery broke", alert=delivery.alert_id, exc_info=error)
            return Outcome(error=f"Delivery failed unexpectedly ({type(error).__name__}).")

    def learn(self, lane: Lane, outcome: Outcome) -> bool:
        """Note how the receiver does; whether that changed."""
        now, before = self._clock(), lane.endpoint
        hours = self._settings.disable_after_hours
        after = health(before, outcome, now=now, disable_after_hours=hours)
        if after.disabled and not before.disabled:
            _events.error("receiver disabled", to=redacted(before.target), reason=after.disabled)
        lane.learnt(after, now=now)
        return after is not before

    async def close(self) -> None:
        """Close what is open towards them."""
        await self._channels.close()
