"""A test alert, to every target of a subscription or to a named channel."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.errors import NotFoundError
from ingest.log import Log
from ingest.wire import decode
from search.alert_state import Alert, Attempt
from search.channels import Delivery
from search.payload import payload_of_test
from search.receivers import Receivers
from search.subscriptions import Subscription, redacted
from search.turns import Turns

TITLE = "Test alert"


class Trials:
    """Sends test alerts. Belongs to the event loop that delivers."""

    def __init__(
        self, log: Log, receivers: Receivers, turns: Turns, *, clock: Callable[[], datetime]
    ) -> None:
        self._log = log
        self._receivers = receivers
        self._turns = turns
        self._clock = clock

    async def of_subscription(self, subscription_id: str) -> list[dict[str, Any]]:
        """Send one to every target of a subscription; one row each. Raises NotFoundError.

        A receiver that acknowledges it is in use again.
        """
        record = await asyncio.to_thread(self._log.table("subscriptions").get, subscription_id)
        if record is None:
            raise NotFoundError(
                f"there is no subscription {subscription_id}",
                hint="See: wirewatch subscriptions list",
            )
        one = decode(Subscription, record.value or b"")
        made_id = f"test-{secrets.token_urlsafe(12)}"
        body = payload_of_test(one, alert_id=made_id, now=self._clock())
        return await asyncio.gather(
            *(
                self._row(
                    Delivery(alert_id=made_id, subscription=one.id, target=target, payload=body)
                )
                for target in one.to
            )
        )

    async def of_channel(self, listed: str, *, name: str) -> dict[str, Any]:
        """Send one to a channel, ``listed`` as it stands in targets; its row."""
        made_id, now = f"test-{secrets.token_urlsafe(12)}", self._clock()
        stand_in = Subscription(id="", name=name, query="", to=(listed,), created=now)
        body = payload_of_test(stand_in, alert_id=made_id, now=now, of="channel")
        return await self._row(
            Delivery(alert_id=made_id, subscription="", target=listed, payload=body)
        )

    async def _row(self, delivery: Delivery) -> dict[str, Any]:
        outcome = await self._receivers.deliver(delivery)
        await self._turns.note(delivery.target, outcome)
        shown = redacted(delivery.target)
        return {"to": shown, "status": outcome.status, "error": outcome.error}


def tested(
    subscription: Subscription, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> Alert:
    """What came of a test alert, as a row of the list of alerts."""
    attempts = tuple(
        Attempt(at=now, to=row["to"], status=row["status"], error=row["error"]) for row in rows
    )
    reached = tuple(
        target for target, row in zip(subscription.to, rows, strict=True) if not row["error"]
    )
    return Alert(
        alert_id=f"test-{secrets.token_urlsafe(12)}",
        owner=subscription.owner,
        subscription=subscription.id,
        subscription_name=subscription.name,
        article_id="",
        story_id="",
        title=TITLE,
        created=now,
        state="failed" if any(one.error for one in attempts) else "sent",
        attempts=attempts,
        pending=tuple(one for one in subscription.to if one not in reached),
        acknowledged=reached,
    )
